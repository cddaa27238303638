using System.Buffers.Text;
using System.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Http;

namespace Atrium.Server.Doors;

/// <summary>The back end that calls, known by its API key; everything it may see or touch is of that key's realm.</summary>
/// <param name="Credential">What it presented, as it stood in the header.</param>
public sealed record Caller(ApiKey Key, string Credential)
{
    public Id<Realm> Realm => Key.RealmId;
}

/// <summary>Finds out which back end calls, for every door that one may call.</summary>
public static class ApiCaller
{
    /// <summary>Who calls; only behind a door's check of the key.</summary>
    public static Caller Caller(this HttpContext context) => context.KnownCaller() ?? throw new InvalidOperationException("This route has no caller.");

    public static Caller? KnownCaller(this HttpContext context) => context.Features.Get<Caller>();

    /// <summary>The caller of the <c>Authorization</c> header; null when there is none whose key is good.</summary>
    public static async Task<Caller?> FindCallerAsync(this HttpContext context, CancellationToken cancellationToken)
    {
        if (BearerOf(context.Request) is { } bearer)
            return await context.FindApiKeyAsync(bearer, cancellationToken) is { } key ? new Caller(key, bearer) : null;
        return BasicOf(context.Request) is var (id, secret)
            && await context.FindApiKeyAsync(secret, cancellationToken) is { } named && named.Id.ToString() == id
            ? new Caller(named, secret)
            : null;
    }

    /// <summary>The key of that text, if it is one and has not ended.</summary>
    public static async Task<ApiKey?> FindApiKeyAsync(this HttpContext context, string? text, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        RealmDirectory directory = context.RequestServices.GetRequiredService<RealmDirectory>();
        DateTimeOffset now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return await directory.ApiKeyAsync(new Secret(text), cancellationToken) is { } key && key.IsLive(now) ? key : null;
    }

    /// <summary>The credentials of the header; null when there are none. An SDK of a public client sends the scheme with nothing behind it.</summary>
    public static string? BearerOf(HttpRequest request) =>
        request.CredentialsOf("Bearer") is { Length: > 0 } token ? token : null;

    /// <summary>RFC 7617 section 2: the key's id, and its secret.</summary>
    private static (string Id, string Secret)? BasicOf(HttpRequest request)
    {
        if (request.CredentialsOf("Basic") is not { Length: > 0 } credentials || !Base64.IsValid(credentials))
            return null;
        return Encoding.UTF8.GetString(Convert.FromBase64String(credentials)).Split(':', 2) is [{ } id, { } secret] ? (id, secret) : null;
    }
}
