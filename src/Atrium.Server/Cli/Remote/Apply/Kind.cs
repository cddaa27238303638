using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Doors.Management.Clients;
using Atrium.Server.Doors.Management.Operator;
using Atrium.Server.Doors.Management.Organizations;
using Atrium.Server.Doors.Management.Webhooks;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>A kind of thing that a file can declare.</summary>
/// <param name="Section">The field of the file, or of what they belong to, that lists them.</param>
/// <param name="KeyField">The field that says which one is meant, and never changes.</param>
internal sealed record Kind(string Section, string KeyField, Resource Resource)
{
    /// <summary>What can be said of a new one, and of one that is there already.</summary>
    public Shape Creation { get; init; } = Shape.Empty;

    public Shape Change { get; init; } = Shape.Empty;

    /// <summary>Whether it never changes.</summary>
    public bool IsFixed(string field) => Change.Fields.All(known => known.Name != field);

    /// <summary>Declared by the key alone.</summary>
    public bool IsKeyOnly { get; init; }

    /// <summary>A tie to an organization: its id stands in the path, and PUT makes it.</summary>
    public bool IsTie { get; init; }

    /// <summary>What is declared inside one of these.</summary>
    public IReadOnlyList<Kind> Inside { get; init; } = [];
}

internal static class Kinds
{
    private static readonly Kind Roles = new("roles", "slug", Resources.Roles) { Creation = RolesEndpoints.New, Change = RolesEndpoints.Change };

    private static readonly Kind Domains = new("domains", "domain", Resources.Domains) { IsKeyOnly = true };

    private static readonly Kind Shares = new("organizations", "organization_id", Resources.Shares) { IsKeyOnly = true, IsTie = true };

    /// <summary>The realm itself, which is there: the one kind whose section is no list, and that only an operator key reads and changes.</summary>
    public static Kind Realm { get; } = new("realm", "handle", Resources.Realms) { Creation = RealmsEndpoints.Declared, Change = RealmsEndpoints.Known };

    public static Kind Organizations { get; } = new("organizations", "handle", Resources.Organizations)
    {
        Inside = [Roles, Domains], Creation = OrganizationFields.New, Change = OrganizationFields.Change,
    };

    /// <summary>What a file lists, in the order in which they are made: each may speak of those before it.</summary>
    public static IReadOnlyList<Kind> All { get; } =
    [
        Roles,
        Organizations,
        new("clients", "client_id", Resources.Clients) { Inside = [Shares], Creation = ClientBodies.Creation, Change = ClientBodies.Change },
        new("webhooks", "name", Resources.Webhooks) { Creation = WebhooksEndpoints.Webhook, Change = WebhooksEndpoints.Webhook },
    ];
}
