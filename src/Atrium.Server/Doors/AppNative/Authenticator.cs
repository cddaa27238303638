using System.Buffers.Text;
using System.Text;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;

namespace Atrium.Server.Doors.AppNative;

/// <summary>
/// One way to go on, as this door calls it. Names, display names and keys are contract: some clients find an option by its id, Android's
/// by its display name (wire contract, sections 0.5 and 2.4).
/// </summary>
/// <param name="Inline">Whether it shows its parameters also where a choice is open; the others are selected first.</param>
public sealed record Authenticator(string Name, string DisplayName, string I18nKey, bool Inline, IReadOnlyList<ParameterBody> Parameters)
{
    public static readonly Authenticator Basic = new(
        "BasicAuthenticator",
        "Username & Password",
        "authenticator.basic",
        Inline: true,
        [
            new("username", "STRING", 0, "username.param", "Username", Confidential: false),
            new("password", "STRING", 1, "password.param", "Password", Confidential: true),
        ]);

    public static readonly Authenticator Totp = new(
        "totp", "TOTP", "authenticator.totp", Inline: false, [new("token", "STRING", 0, "totp.authenticator", "Token", Confidential: false)]);

    public static readonly Authenticator Organization = new(
        "OrganizationIdentifierHandler",
        "SSO",
        "authenticator.organization.identifier",
        Inline: false,
        [
            new(NamedOrganization.IdParameter, "STRING", 0, "organization.id.param", "Organization ID", Confidential: false),
            new(NamedOrganization.NameParameter, "STRING", 1, "organization.name.param", "Organization Name", Confidential: false),
            new(NamedOrganization.HandleParameter, "STRING", 2, "organization.handle.param", "Organization Handle", Confidential: false),
            new(NamedOrganization.HintParameter, "STRING", 3, "login.hint.param", "Login Hint", Confidential: false),
            new(NamedOrganization.DiscoveryTypeParameter, "STRING", 4, "organization.discovery.type.param", "Organization Discovery Type", Confidential: false),
        ]);

    private const string LocalIdp = "LOCAL";

    private string Text => $"{Name}:{LocalIdp}";

    /// <summary>What the engine's step offers, in this door's words; none for a step that this door cannot show.</summary>
    public static IReadOnlyList<Authenticator> OptionsOf(SignInStep step) => step switch
    {
        SignInStep.Prove { OrganizationOption: true } => [Basic, Organization],
        SignInStep.Prove => [Basic],
        SignInStep.ProveFactor => [Totp],
        SignInStep.ChooseOrganization => [Organization],
        _ => [],
    };

    /// <summary>The name and identity provider in an authenticatorId: base64url, without padding, of <c>Name:IdP</c>. Null when there are none.</summary>
    public static string? Decode(string authenticatorId)
    {
        if (!Base64Url.IsValid(authenticatorId))
            return null;
        string text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(authenticatorId));
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < text.Length - 1 && !text.Contains('\uFFFD', StringComparison.Ordinal) ? text : null;
    }

    public bool Is(string decodedId) => Text == decodedId;

    /// <param name="alone">Whether it is the one option shown; an option that is not inline has its parameters only then.</param>
    public AuthenticatorBody ToBody(Client client, bool alone)
    {
        bool asks = alone || Inline;
        return new AuthenticatorBody(
            Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Text)),
            DisplayName,
            LocalIdp,
            new AuthenticatorMetadataBody(I18nKey, asks ? "USER_PROMPT" : null, asks ? Parameters : null),
            asks ? RequiredParameters(client) : null);
    }

    /// <summary>
    /// One parameter names the organization. The original lists all five as required, which makes form builders ask for all of them
    /// (wire contract, section 0.12).
    /// </summary>
    private string[] RequiredParameters(Client client) =>
        ReferenceEquals(this, Organization)
            ? [client.Settings.AppNative.DiscoveryParameter]
            : [.. Parameters.Select(static parameter => parameter.Param)];
}
