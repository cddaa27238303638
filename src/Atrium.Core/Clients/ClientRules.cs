namespace Atrium.Core.Clients;

/// <summary>What a client may be: which addresses, grant types and settings go together.</summary>
public static class ClientRules
{
    public const int MaxClientIdLength = 128;
    public const int MaxUris = 100;
    public const int MaxUriLength = 2048;

    public const string AuthorizationCode = "authorization_code";
    public const string RefreshToken = "refresh_token";
    public const string ClientCredentials = "client_credentials";

    public static IReadOnlyList<string> GrantTypes { get; } = [AuthorizationCode, RefreshToken, ClientCredentials];

    /// <summary>The signature that needs more than the framework: Ed25519 (RFC 8037).</summary>
    public const string EdDsa = "EdDSA";

    /// <summary>What the tokens of a realm can be signed with (RFC 7518 section 3.1, RFC 8037 section 3.1).</summary>
    public static IReadOnlyList<string> SignatureAlgorithms { get; } = ["ES256", "RS256", EdDsa];

    private const string InstallLibrary =
        "EdDSA needs libsodium on the server, which has none: install libsodium.so.23 (Debian: libsodium23) on every node and start them again.";

    public static IReadOnlyList<string> DefaultGrantTypes(ClientType type) => type == ClientType.M2M ? [ClientCredentials] : [AuthorizationCode, RefreshToken];

    /// <summary>
    /// A name chosen for a client: it stands in paths and tokens as it is. One that looks like an id of the house is refused, since the subject of a
    /// client's own token is its name (RFC 9700 section 4.15: it must not pass for a person).
    /// </summary>
    public static bool IsClientId(string text) =>
        text.Length is > 0 and <= MaxClientIdLength
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')
        && text is not ("." or "..")
        && !(text.LastIndexOf('_') is > 0 and var prefix && text.Length - prefix - 1 == Id<Client>.Digits);

    /// <summary>Everything that is wrong with a client; fields as seen from its resource.</summary>
    /// <param name="edDsa">Whether its realm signs with EdDSA here.</param>
    public static IEnumerable<Fault> Faults(Client client, EdDsaSupport edDsa) =>
    [
        .. UriFaults("/redirect_uris", client.RedirectUris),
        .. UriFaults("/post_logout_redirect_uris", client.PostLogoutRedirectUris),
        .. GrantTypeFaults(client),
        .. AlgorithmFaults(client, edDsa),
        .. KeyFaults(client.Settings.Jwks, edDsa),
        .. ClientSettingsRules.Faults(client.Settings, client.IsConfidential).Select(static fault => fault.Within("/settings")),
        .. LogoutSettings.Faults(client),
    ];

    private static IEnumerable<Fault> UriFaults(string field, IReadOnlyList<string> uris)
    {
        if (uris.Count > MaxUris)
            yield return new(field, $"There should be at most {MaxUris} addresses.");
        foreach ((int i, string uri) in uris.Index())
        {
            if (uri.Length > MaxUriLength)
                yield return new($"{field}/{i}", $"An address has at most {MaxUriLength} characters.");
            else if (RedirectUris.Problem(uri) is { } problem)
                yield return new($"{field}/{i}", problem);
            else if (uris.Take(i).Contains(uri, StringComparer.Ordinal))
                yield return new($"{field}/{i}", "This address is there twice.");
        }
    }

    private static IEnumerable<Fault> GrantTypeFaults(Client client)
    {
        if (client.GrantTypes.Count == 0)
            yield return new("/grant_types", "A client has at least one grant type.");
        foreach ((int i, string type) in client.GrantTypes.Index())
        {
            if (!GrantTypes.Contains(type))
                yield return new($"/grant_types/{i}", $"The grant types are {string.Join(", ", GrantTypes)}.");
            else if (client.Type == ClientType.M2M && type != ClientCredentials)
                yield return new($"/grant_types/{i}", $"A client of the type m2m speaks for itself alone: its grant type is {ClientCredentials}.");
            else if (type == ClientCredentials && !client.IsConfidential)
                yield return new($"/grant_types/{i}", $"{ClientCredentials} is for clients that can keep a secret: web and m2m.");
            else if (client.GrantTypes.Take(i).Contains(type, StringComparer.Ordinal))
                yield return new($"/grant_types/{i}", "This grant type is there twice.");
        }
    }

    private static IEnumerable<Fault> AlgorithmFaults(Client client, EdDsaSupport edDsa)
    {
        if (client.SignatureAlgorithm is { } algorithm && !SignatureAlgorithms.Contains(algorithm))
            yield return new("/response_signature_alg", $"The keys of a realm sign with {string.Join(", ", SignatureAlgorithms)}.");
        else if (client is { SignatureAlgorithm: not (null or "RS256"), Settings.Authkit.Enabled: true })
            yield return new("/response_signature_alg", "The SDKs of the AuthKit door know RS256 only.");
        else if (client.SignatureAlgorithm == EdDsa && edDsa == EdDsaSupport.NoLibrary)
            yield return new("/response_signature_alg", InstallLibrary);
        else if (client.SignatureAlgorithm == EdDsa && edDsa == EdDsaSupport.NoKeyYet)
            yield return new("/response_signature_alg", "The realm's first EdDSA key is published for a day before it signs. Try again then.");
    }

    private static IEnumerable<Fault> KeyFaults(ClientKeySet? keys, EdDsaSupport edDsa) =>
        (keys?.Keys ?? []).Index().Where(key => key.Item.Kty == "OKP" && edDsa == EdDsaSupport.NoLibrary)
            .Select(static key => new Fault($"/settings/jwks/keys/{key.Index}/kty", InstallLibrary));
}

/// <summary>Whether a realm signs with EdDSA at this server.</summary>
public enum EdDsaSupport
{
    Here,

    /// <summary>It will, once its first key has been published for long enough.</summary>
    NoKeyYet,

    /// <summary>The machine lacks what calculates with such keys.</summary>
    NoLibrary,
}
