using Atrium.Core;
using Atrium.Core.Realms;

namespace Atrium.Storage;

/// <summary>What nodes remember of the database.</summary>
public enum ChangeKind
{
    /// <summary>All of it.</summary>
    Everything,

    /// <summary>A realm, by its handle.</summary>
    Realm,

    /// <summary>A client, by its <c>client_id</c>.</summary>
    Client,

    /// <summary>The signing keys of a realm, by its id.</summary>
    SigningKeys,

    /// <summary>An API key, by its id.</summary>
    ApiKey,

    /// <summary>What happened in a realm and has no place in its log yet, by the realm's id; nodes don't tell each other.</summary>
    FreshEvents,

    /// <summary>The log of a realm, by the realm's id: it has grown.</summary>
    Events,

    /// <summary>Clients of a realm, by the realm's id, that have the end of a session to be told; nodes don't tell each other.</summary>
    LogoutNotices,
}

/// <summary>Says that something which nodes remember is not any more what they remember.</summary>
public sealed record Change
{
    public static readonly Change OfEverything = new(ChangeKind.Everything, "");

    private Change(ChangeKind kind, string name)
    {
        Kind = kind;
        Name = name;
    }

    public ChangeKind Kind { get; }

    public string Name { get; }

    public static Change OfRealm(string handle) => new(ChangeKind.Realm, handle);

    public static Change OfClient(string clientId) => new(ChangeKind.Client, clientId);

    public static Change OfSigningKeys(Id<Realm> realm) => new(ChangeKind.SigningKeys, realm.ToString());

    public static Change OfApiKey(Id<ApiKey> key) => new(ChangeKind.ApiKey, key.ToString());

    public static Change OfFreshEvents(Id<Realm> realm) => new(ChangeKind.FreshEvents, realm.ToString());

    public static Change OfEvents(Id<Realm> realm) => new(ChangeKind.Events, realm.ToString());

    public static Change OfLogoutNotices(Id<Realm> realm) => new(ChangeKind.LogoutNotices, realm.ToString());

    /// <summary>As nodes tell each other.</summary>
    public override string ToString() => $"{Kind}:{Name}";

    /// <summary>What a node of another version may say and this one does not know could be about anything.</summary>
    internal static Change Parse(string text) =>
        text.Split(':', 2) is [{ } kind, { } name] && Enum.TryParse(kind, out ChangeKind known) && Enum.IsDefined(known) ? new(known, name) : OfEverything;
}
