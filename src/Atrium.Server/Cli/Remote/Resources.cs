using System.Text.Json;

namespace Atrium.Server.Cli.Remote;

/// <summary>The kinds of things that the management API has, as the verbs name and list them.</summary>
internal static class Resources
{
    public static Resource Realms { get; } = new("realm", "")
    {
        IdPrefix = "realm_",
        Key = "handle",
        Columns = [Column.Of("HANDLE", "handle") with { IsWhole = true }, Column.Of("NAME", "name"), Column.Id(), Column.Time("CREATED", "created_at")],
    };

    public static Resource Organizations { get; } = new("organization", "/organizations")
    {
        IdPrefix = "org_",
        LookUps = [LookUp.ByFilter("handle"), LookUp.ByFilter("external_id")],
        Columns = [Column.Id(), Column.Of("HANDLE", "handle"), Column.Of("NAME", "name"), Column.State(), Column.Time("CREATED", "created_at")],
    };

    public static Resource Users { get; } = new("user", "/users")
    {
        IdPrefix = "usr_",
        LookUps = [LookUp.ByFilter("email") with { Fits = static text => text.Contains('@', StringComparison.Ordinal) }, LookUp.ByFilter("username"), LookUp.ByFilter("external_id")],
        Names = ["email", "username"],
        Columns = [Column.Id(), Column.Of("EMAIL", "email"), new("NAME", NameOfUser), Column.State(), Column.Time("CREATED", "created_at")],
    };

    public static Resource Members { get; } = new("member", "/organizations/{0}/members")
    {
        Parent = Organizations,
        NamedAs = Users,
        Key = "user_id",
        Names = ["email", "user_id"],
        Columns =
        [
            Column.Id("USER", "user_id"), Column.Of("SCOPES", "scopes"), Column.Of("TITLE", "title"), Column.State(), Column.Time("JOINED", "joined_at"),
        ],
    };

    public static Resource Memberships { get; } = new("membership", "/users/{0}/memberships")
    {
        Parent = Users,
        Key = "organization_id",
        Columns =
        [
            Column.Id("ORGANIZATION", "organization_id"), Column.Of("SCOPES", "scopes"), Column.Of("TITLE", "title"), Column.State(), Column.Time("JOINED", "joined_at"),
        ],
    };

    public static Resource Domains { get; } = new("domain", "/organizations/{0}/domains")
    {
        Parent = Organizations,
        IdPrefix = "dom_",
        LookUps = [LookUp.InList("domain")],
        Names = ["domain"],
        Columns = [Column.Id(), Column.Of("DOMAIN", "domain"), Column.State("STATE", "state"), Column.Time("CREATED", "created_at")],
    };

    public static Resource Roles { get; } = new("role", "/organizations/{0}/roles")
    {
        Parent = Organizations,
        PathWithoutParent = "/roles",
        Key = "slug",
        Names = ["slug"],
        Columns = [Column.Of("SLUG", "slug") with { IsWhole = true }, Column.Of("NAME", "name"), Column.Of("PERMISSIONS", "permissions")],
    };

    public static Resource Invitations { get; } = new("invitation", "/organizations/{0}/invitations")
    {
        Parent = Organizations,
        IdPrefix = "inv_",
        LookUps = [LookUp.InList("email_invited")],
        Names = ["email_invited"],
        Columns = [Column.Id(), Column.Of("EMAIL", "email_invited"), Column.Of("SCOPES", "scopes"), Column.State("STATE", "state"), Column.Time("EXPIRES", "expires_at")],
    };

    public static Resource Sessions { get; } = new("session", "/users/{0}/sessions")
    {
        Parent = Users,
        Columns = [Column.Id(), Column.Of("METHODS", "methods"), Column.Of("ADDRESS", "ip_address"), Column.Time("CREATED", "created_at"), Column.Time("ENDED", "ended_at")],
    };

    public static Resource Factors { get; } = new("factor", "/users/{0}/factors")
    {
        Parent = Users,
        Columns = [Column.Id(), Column.Of("TYPE", "type"), Column.Of("CONFIRMED", "confirmed"), Column.Time("CREATED", "created_at")],
    };

    public static Resource Clients { get; } = new("client", "/clients")
    {
        IdPrefix = "c_",
        LookUps = [LookUp.ByFilter("client_id")],
        Columns = [Column.Of("CLIENT ID", "client_id") with { IsWhole = true }, Column.Of("NAME", "name"), Column.Of("TYPE", "type"), Column.State(), Column.Time("CREATED", "created_at")],
    };

    /// <summary>The organizations that a client is shared with.</summary>
    public static Resource Shares { get; } = new("share", "/clients/{0}/organizations")
    {
        Parent = Clients,
        NamedAs = Organizations,
        LookUps = [LookUp.InList("organization_id")],
        Key = "organization_id",
        Columns = [Column.Id("ORGANIZATION", "organization_id")],
    };

    public static Resource ApiKeys { get; } = new("key", "/api-keys")
    {
        IdPrefix = "key_",
        LookUps = [LookUp.InList("name")],
        Columns = [Column.Id(), Column.Of("NAME", "name"), Column.Of("SCOPES", "scopes"), Column.Time("CREATED", "created_at"), Column.Time("EXPIRES", "expires_at")],
    };

    public static Resource Events { get; } = new("event", "/events") { IdPrefix = "evt_", Names = ["type"] };

    public static Resource SigningKeys { get; } = new("signing key", "/signing-keys")
    {
        Key = "kid",
        Names = ["kid"],
        Columns = [Column.Id("KID", "kid"), Column.Of("ALG", "alg"), Column.State(), Column.Time("CREATED", "created_at")],
    };

    public static Resource Connections { get; } = new("connection", "/connections")
    {
        IdPrefix = "conn_",
        LookUps = [LookUp.InList("name")],
        Columns = [Column.Id(), Column.Of("TYPE", "type"), Column.Of("NAME", "name"), Column.Of("ORGANIZATION", "organization_id"), Column.State()],
    };

    public static Resource Webhooks { get; } = new("webhook", "/webhooks")
    {
        IdPrefix = "wh_",
        LookUps = [LookUp.InList("name")],
        Columns = [Column.Id(), Column.Of("NAME", "name"), Column.Of("URL", "url"), Column.Of("EVENTS", "events"), Column.State()],
    };

    public static Resource Deliveries { get; } = new("delivery", "/webhooks/{0}/deliveries")
    {
        Parent = Webhooks,
        Columns = [Column.Id(), Column.Of("TYPE", "type"), Column.State(), Column.Time("CREATED", "created_at"), Column.Time("NEXT ATTEMPT", "next_attempt_at")],
    };

    private static string NameOfUser(JsonElement user) => FieldText.At(user, "profile.name") is { Length: > 0 } whole
        ? whole
        : $"{FieldText.At(user, "profile.given_name")} {FieldText.At(user, "profile.family_name")}".Trim();
}
