using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Atrium.Core.Connections;

/// <summary>What must be known of an identity provider, and may be seen. Which of the records it is follows from <see cref="ConnectionType"/>.</summary>
[JsonDerivedType(typeof(OidcSettings))]
[JsonDerivedType(typeof(SamlSettings))]
[JsonDerivedType(typeof(SocialSettings))]
[JsonDerivedType(typeof(MicrosoftSettings))]
[JsonDerivedType(typeof(AppleSettings))]
public abstract record ConnectionSettings
{
    private protected ConnectionSettings()
    {
    }
}

/// <summary>An OpenID provider; the rest of it is read from its discovery document.</summary>
public sealed record OidcSettings : ConnectionSettings
{
    [Description("The provider's issuer, character for character as its discovery document has it.")]
    public required string Issuer { get; init; }

    [Description("The `client_id` that the provider knows Atrium by.")]
    public required string ClientId { get; init; }

    [Description("What the provider is asked for; `openid` is among them.")]
    public required IReadOnlyList<string> Scopes { get; init; }
}

/// <summary>A SAML 2.0 identity provider.</summary>
public sealed record SamlSettings : ConnectionSettings
{
    [Description("The provider's entity id.")]
    public required string IdpEntityId { get; init; }

    [Description("Where people are sent to sign in.")]
    public required string SsoUrl { get; init; }

    [Description("The certificates that the provider signs with, as PEM. A second one lets it change them without a pause.")]
    public required IReadOnlyList<string> Certificates { get; init; }
}

/// <summary>Google or GitHub.</summary>
public sealed record SocialSettings : ConnectionSettings
{
    [Description("The `client_id` that the provider knows Atrium by.")]
    public required string ClientId { get; init; }
}

/// <summary>Microsoft Entra ID.</summary>
public sealed record MicrosoftSettings : ConnectionSettings
{
    [Description("The application's id at Microsoft.")]
    public required string ClientId { get; init; }

    [Description("Whose accounts may sign in: a tenant's id or domain, or `common`, `organizations` or `consumers`.")]
    public required string Tenant { get; init; }
}

/// <summary>Sign in with Apple, which is given no secret but a token signed with a key.</summary>
public sealed record AppleSettings : ConnectionSettings
{
    [Description("The Services ID.")]
    public required string ClientId { get; init; }

    [Description("The team's ten characters.")]
    public required string TeamId { get; init; }

    [Description("The ten characters of the key that signs.")]
    public required string KeyId { get; init; }
}
