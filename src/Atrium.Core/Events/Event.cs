using System.ComponentModel;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.Events;

/// <summary>Something that happened, as it stands in the log. Nothing changes or removes it but its age.</summary>
public sealed record Event : IIdentified
{
    public static string IdPrefix => "evt_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Event> Id { get; init; }

    /// <summary>Its place in the realm's log, without gaps and in the order of the commits: the cursor of whoever reads on from here.</summary>
    public required long Position { get; init; }

    /// <summary>One of <see cref="EventTypes"/>.</summary>
    public required string Type { get; init; }

    /// <summary>When it happened by the clock of the node; never earlier than the event before it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The id of what it happened to. Events of one subject are in the order in which they happened.</summary>
    public required string Subject { get; init; }

    public Id<Organization>? OrganizationId { get; init; }

    public Id<User>? UserId { get; init; }

    /// <summary>The <c>client_id</c>.</summary>
    public string? ClientId { get; init; }

    public required EventActor Actor { get; init; }

    public string? RequestId { get; init; }

    /// <summary>The thing as the management API shows it, after the change; of something deleted, before it. A JSON object.</summary>
    public required string Data { get; init; }

    /// <summary>Of an update, the fields that it changed.</summary>
    public IReadOnlyList<string>? Changed { get; init; }
}

/// <summary>Who did it, and from where.</summary>
public sealed record EventActor
{
    [Description("What kind of actor it is.")]
    public required ActorType Type { get; init; }

    [Description("The id of the key, the client or the person.")]
    public string? Id { get; init; }

    [Description("Where the request came from.")]
    public string? IpAddress { get; init; }

    [Description("The browser or program, as it named itself.")]
    public string? UserAgent { get; init; }

    public static EventActor Of(Origin origin) =>
        new() { Type = origin.Actor, Id = origin.ActorId, IpAddress = origin.IpAddress, UserAgent = origin.UserAgent };
}
