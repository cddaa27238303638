using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Server.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The form that a request brought, or why it can't be read.</summary>
public readonly record struct ReadForm(IReadOnlyDictionary<string, StringValues>? Parameters, OAuthError? Error);

/// <summary>Reads the parameters of OAuth requests, and holds the rules that are the same at every endpoint.</summary>
public static class OAuthParameters
{
    /// <summary>More scopes than anybody means to ask for.</summary>
    private const int MaxScopes = 64;

    private const int MaxScopeLength = 128;

    /// <summary>Long enough for what clients keep in it, short enough for every browser's address.</summary>
    private const int MaxStateLength = 4096;

    private const int MaxNonceLength = 1024;
    private const int MaxHintLength = 320;

    private static readonly OAuthError NotAForm = new("ATR1110", "invalid_request", "Send the parameters as application/x-www-form-urlencoded.");
    private static readonly OAuthError TooLarge = new("ATR1111", "invalid_request", "The request is larger than any request needs to be.", StatusCodes.Status413PayloadTooLarge);
    private static readonly OAuthError NotText = new("ATR1112", "invalid_request", "The form is not UTF-8.");
    private static readonly OAuthError Repeated = new("ATR1113", "invalid_request", "A parameter is given more than once.");
    private static readonly OAuthError BadOrganization = new("ATR1114", "invalid_request", "org is not an organization id: org_ and 25 digits and lower-case letters.");
    private static readonly OAuthError BadScope = new("ATR1115", "invalid_scope", "scope is malformed, or asks for more than can be granted at once.");
    private static readonly OAuthError BadResource = new("ATR1116", "invalid_target", "resource must be one absolute URI without a fragment.");
    private static readonly OAuthError TwoResources = new("ATR1244", "invalid_target", "resource and audience name different resources; audience is only another name for it.");
    private static readonly OAuthError BadKey = new("ATR1152", "invalid_request", "dpop_jkt is not the SHA-256 thumbprint of a key: 43 characters of base64url.");
    private static readonly OAuthError TooLong = new("ATR1216", "invalid_request", "state has more than 4096 characters, or nonce more than 1024.");

    /// <summary>The body as a form, whatever is in it; repeated parameters are still visible.</summary>
    public static async Task<ReadForm> ReadFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!RequestBody.HasType(request, "application/x-www-form-urlencoded"))
            return new(null, NotAForm);
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
            return new(null, TooLarge);
        return RequestBody.ParseForm(body) is { } form ? new(form, null) : new(null, NotText);
    }

    /// <summary>The body as a form in which nothing is said twice (RFC 6749 section 3.2).</summary>
    public static async Task<ReadForm> ReadUniqueFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        ReadForm read = await ReadFormAsync(request, cancellationToken);
        return read.Parameters is { } form && CheckRepeated(form) is { } error ? new(null, error) : read;
    }

    public static IReadOnlyDictionary<string, StringValues> OfQuery(HttpRequest request) => QueryHelpers.ParseQuery(request.QueryString.Value);

    /// <summary>The value of a parameter; one without a value counts as left out (RFC 6749 section 3.1).</summary>
    public static string? ValueOf(this IReadOnlyDictionary<string, StringValues> parameters, string name) =>
        parameters.TryGetValue(name, out StringValues values) && values is [{ Length: > 0 } value] ? value : null;

    /// <summary>The state to answer with: what was sent, unless that can't be told or is too long to carry.</summary>
    public static string? StateOf(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("state") is { Length: <= MaxStateLength } state ? state : null;

    /// <summary>Who the client thinks the person is; what is too long to be a name is left out.</summary>
    public static string? LoginHintOf(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("login_hint") is { Length: <= MaxHintLength } hint ? hint : null;

    /// <summary>The levels that the client asks for, of those that there are; the rest is voluntary (OpenID Connect Core section 3.1.2.1).</summary>
    public static IReadOnlyList<string> AcrValuesOf(IReadOnlyDictionary<string, StringValues> parameters) =>
        [.. AuthenticationLevels.Names.Intersect(parameters.ValueOf("acr_values")?.Split(' ') ?? [])];

    /// <summary>What is stored with a sign-in, by anybody who knows a public client's id, has a limit.</summary>
    public static OAuthError? CheckLengths(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("state") is { Length: > MaxStateLength } || parameters.ValueOf("nonce") is { Length: > MaxNonceLength } ? TooLong : null;

    /// <summary>RFC 6749 section 3.1: nothing may be given more than once. A second resource is its own error (RFC 8707 section 2).</summary>
    public static OAuthError? CheckRepeated(IReadOnlyDictionary<string, StringValues> parameters)
    {
        string? repeated = parameters.FirstOrDefault(static parameter => parameter.Value.Count > 1).Key;
        return repeated switch
        {
            null => null,
            "resource" or "audience" => BadResource,
            _ => Repeated,
        };
    }

    /// <summary>
    /// The organization named. An empty one is malformed rather than left out: a client whose variable is empty must not be given a token
    /// for all organizations instead of one.
    /// </summary>
    public static OAuthError? CheckOrganization(IReadOnlyDictionary<string, StringValues> parameters, out Id<Organization>? organization)
    {
        organization = null;
        if (!parameters.TryGetValue("org", out StringValues values))
            return null;
        organization = values is [{ } value] ? Id<Organization>.Parse(value) : null;
        return organization is null ? BadOrganization : null;
    }

    /// <summary>The scopes asked for, each once, as they were sent; null where none are. Every scope is kept that is well-formed (RFC 6749 section 3.3).</summary>
    public static OAuthError? CheckScope(IReadOnlyDictionary<string, StringValues> parameters, out IReadOnlyList<string>? scopes)
    {
        scopes = null;
        if (parameters.ValueOf("scope") is not { } text)
            return null;
        string[] asked = [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];
        if (asked.Length > MaxScopes || asked.Any(static scope => scope.Length > MaxScopeLength || !scope.All(IsScopeCharacter)))
            return BadScope;
        scopes = asked.Length == 0 ? null : asked;
        return null;
    }

    /// <summary>RFC 8707 section 2. Older clients call it <c>audience</c>; one that says both says the same.</summary>
    public static OAuthError? CheckResource(IReadOnlyDictionary<string, StringValues> parameters, out string? resource)
    {
        resource = parameters.ValueOf("resource");
        string? audience = parameters.ValueOf("audience");
        if (resource is not null && audience is not null && audience != resource)
            return TwoResources;
        resource ??= audience;
        return resource is null || ResourceUris.IsResource(resource) ? null : BadResource;
    }

    /// <summary>RFC 9449 section 10: the key that the code is for.</summary>
    public static OAuthError? CheckKey(IReadOnlyDictionary<string, StringValues> parameters, out string? dpopJkt)
    {
        dpopJkt = parameters.ValueOf("dpop_jkt");
        return dpopJkt is null || KeyThumbprint.IsThumbprint(dpopJkt) ? null : BadKey;
    }

    /// <summary>RFC 6749 appendix A.4.</summary>
    private static bool IsScopeCharacter(char c) => c is >= '!' and <= '~' and not ('"' or '\\');
}
