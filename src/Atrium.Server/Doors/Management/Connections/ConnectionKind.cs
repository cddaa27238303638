using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Organizations;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Doors.Management.Connections;

/// <summary>What callers send for a connection of one type, declared once for making and changing it.</summary>
internal sealed class ConnectionKind
{
    public static readonly Field<string> Name = Field.Text("name", max: 200)
        .Check(static name => TextRules.IsPlain(name) ? null : "/name must be on one line.")
        .Describe("For people.")
        .Required();

    public static readonly Field<Id<Organization>?> OrganizationId = Field.IdOf<Organization>("organization_id")
        .Describe("The organization whose people it vouches for; null for the whole realm. It never changes.");

    public static readonly Field<ConnectionStatus?> Status = Field.Choice<ConnectionStatus>("status").Describe("`active` unless said. A disabled connection vouches for nobody.");

    private readonly Field<Body> settingsOfNew;
    private readonly Field<Body> settingsOfKnown;
    private readonly Field<string>? secretOfNew;
    private readonly Field<string>? secretOfKnown;
    private readonly Func<Body, ConnectionSettings> make;

    /// <param name="fields">The settings that may be seen.</param>
    /// <param name="secret">What the provider knows us by and nobody sees; null where there is nothing of the kind.</param>
    private ConnectionKind(ConnectionType type, string word, IReadOnlyList<Field> fields, Field<string>? secret, Func<Body, ConnectionSettings> make)
    {
        Type = type;
        this.make = make;
        secretOfNew = secret?.Required();
        secretOfKnown = secret;
        settingsOfNew = Field.Nested("settings", new Shape([.. fields, .. Only(secretOfNew)])).Describe("What the provider is known by.").Required();
        settingsOfKnown = Field.Nested("settings", new Shape([.. fields, .. Only(secretOfKnown)])).Describe("What the provider is known by. A secret that is left out stays.").Required();
        New = new Shape(Name, OrganizationId, Status, settingsOfNew) { Title = word, DecidedBy = "type" };
        Known = new Shape(Name, Status, settingsOfKnown) { Title = word };
    }

    public static IReadOnlyList<ConnectionKind> All { get; } = [Oidc(), Saml(), Social(ConnectionType.Google, "google"), Microsoft(), Social(ConnectionType.Github, "github"), Apple()];

    public ConnectionType Type { get; }

    /// <summary>The body that makes one.</summary>
    public Shape New { get; }

    /// <summary>The body that one is changed to.</summary>
    public Shape Known { get; }

    public static ConnectionKind Of(ConnectionType type) => All.Single(kind => kind.Type == type);

    /// <summary>The settings of a body, and the secret beside them where there is one.</summary>
    public (ConnectionSettings Settings, string? Secret) Read(Body body)
    {
        Body settings = (body.Of(settingsOfNew) ?? body.Of(settingsOfKnown))!;
        return (make(settings), Only(secretOfNew).Concat(Only(secretOfKnown)).Select(settings.Of).FirstOrDefault(static secret => secret is not null));
    }

    private static ConnectionKind Oidc()
    {
        Field<string> issuer = Field.Text("issuer", ConnectionRules.MaxUrlLength).Check(ConnectionRules.Issuer)
            .Describe("The provider's issuer, character for character as its discovery document has it.").Required();
        Field<IReadOnlyList<string>> scopes = Field.List("scopes", Field.Text("scope", ConnectionRules.MaxScopeLength).Check(ConnectionRules.Scope), ConnectionRules.MaxScopes)
            .Check(ConnectionRules.Scopes).Describe("What the provider is asked for; `openid`, `profile` and `email` unless said.");
        Field<string> clientId = ClientId();
        return new(ConnectionType.Oidc, "oidc", [issuer, clientId, scopes], ClientSecret(), settings => new OidcSettings
        {
            Issuer = settings.Of(issuer)!,
            ClientId = settings.Of(clientId)!,
            Scopes = settings.Of(scopes) ?? ["openid", "profile", "email"],
        });
    }

    private static ConnectionKind Saml()
    {
        Field<string> entityId = Field.Text("idp_entity_id", ConnectionRules.MaxEntityIdLength).Check(ConnectionRules.EntityId)
            .Describe("The provider's entity id, as its metadata has it.").Required();
        Field<string> ssoUrl = Field.Text("sso_url", ConnectionRules.MaxUrlLength).Check(ConnectionRules.Url).Describe("Where people are sent to sign in.").Required();
        Field<IReadOnlyList<string>> certificates = Field.List(
                "certificates", Field.Text("certificate", ConnectionRules.MaxCertificateLength).Check(ConnectionRules.Certificate), ConnectionRules.MaxCertificates, min: 1)
            .Describe("The certificates that the provider signs with, as PEM. A second one lets it change them without a pause.").Required();
        return new(ConnectionType.Saml, "saml", [entityId, ssoUrl, certificates], secret: null, settings => new SamlSettings
        {
            IdpEntityId = settings.Of(entityId)!,
            SsoUrl = settings.Of(ssoUrl)!,
            Certificates = settings.Of(certificates)!,
        });
    }

    private static ConnectionKind Social(ConnectionType type, string word)
    {
        Field<string> clientId = ClientId();
        return new(type, word, [clientId], ClientSecret(), settings => new SocialSettings { ClientId = settings.Of(clientId)! });
    }

    private static ConnectionKind Microsoft()
    {
        Field<string> clientId = ClientId();
        Field<string> tenant = Field.Text("tenant", ConnectionRules.MaxTenantLength).Check(ConnectionRules.Tenant)
            .Describe("Whose accounts may sign in: a tenant's id or domain, or `common`, `organizations` or `consumers`; `common` unless said.");
        return new(ConnectionType.Microsoft, "microsoft", [clientId, tenant], ClientSecret(), settings => new MicrosoftSettings
        {
            ClientId = settings.Of(clientId)!,
            Tenant = settings.Of(tenant) ?? "common",
        });
    }

    private static ConnectionKind Apple()
    {
        Field<string> clientId = ClientId();
        Field<string> teamId = Field.Text("team_id", ConnectionRules.AppleIdLength).Check(ConnectionRules.AppleId).Describe("The team's ten characters.").Required();
        Field<string> keyId = Field.Text("key_id", ConnectionRules.AppleIdLength).Check(ConnectionRules.AppleId).Describe("The ten characters of the key that signs.").Required();
        Field<string> privateKey = Field.Text("private_key", ConnectionRules.MaxSecretLength).Check(ConnectionRules.ApplePrivateKey)
            .Describe("The private key as Apple gave it, PEM. It is never shown again.");
        return new(ConnectionType.Apple, "apple", [clientId, teamId, keyId], privateKey, settings => new AppleSettings
        {
            ClientId = settings.Of(clientId)!,
            TeamId = settings.Of(teamId)!,
            KeyId = settings.Of(keyId)!,
        });
    }

    private static Field<string> ClientId() => Field.Text("client_id", ConnectionRules.MaxClientIdLength)
        .Check(static id => TextRules.IsPlain(id) ? null : "/settings/client_id must be on one line.")
        .Describe("The `client_id` that the provider knows Atrium by.").Required();

    private static Field<string> ClientSecret() => Field.Text("client_secret", ConnectionRules.MaxSecretLength)
        .Describe("The secret that the provider gave for it. It is never shown again.");

    private static Field<string>[] Only(Field<string>? field) => field is null ? [] : [field];
}
