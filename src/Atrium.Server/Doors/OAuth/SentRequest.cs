using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>An authorization request as its client made it, whichever way it came: through the browser, or pushed before (RFC 9126).</summary>
/// <param name="PathOrganization">The organization of the path that it was sent to, as it was sent; null on the realm's own.</param>
public sealed record SentRequest(IReadOnlyDictionary<string, StringValues> Parameters, string? PathOrganization, bool WasPushed);
