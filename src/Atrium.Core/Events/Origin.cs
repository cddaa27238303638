namespace Atrium.Core.Events;

/// <summary>Who makes a change, and from where. Every event says it.</summary>
public sealed record Origin(ActorType Actor)
{
    /// <summary>Atrium's own doing.</summary>
    public static readonly Origin System = new(ActorType.System);

    /// <summary>A verb on the database's machine.</summary>
    public static readonly Origin CommandLine = new(ActorType.CommandLine);

    /// <summary>The id of the key, the client or the person.</summary>
    public string? ActorId { get; init; }

    public string? IpAddress { get; init; }

    public string? UserAgent { get; init; }

    /// <summary>The <c>client_id</c> of the application that the change came through.</summary>
    public string? ClientId { get; init; }

    public string? RequestId { get; init; }

    /// <summary>Where the answer is kept for a second asking, if it is.</summary>
    public Receipt? Receipt { get; init; }
}
