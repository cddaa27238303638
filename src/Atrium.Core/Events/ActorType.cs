namespace Atrium.Core.Events;

/// <summary>Who can make a change.</summary>
public enum ActorType
{
    /// <summary>Atrium itself.</summary>
    System,

    /// <summary>Somebody on the database's machine.</summary>
    CommandLine,

    /// <summary>Whoever holds an operator key.</summary>
    Operator,

    /// <summary>A product's back end.</summary>
    ApiKey,

    /// <summary>An application, on somebody's behalf or its own.</summary>
    Client,

    /// <summary>A person.</summary>
    User,
}
