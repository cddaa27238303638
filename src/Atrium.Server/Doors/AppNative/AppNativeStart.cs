using Atrium.Core.Realms;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AppNative;

/// <summary>The beginning of an app-native flow: an authorization request with <c>response_mode=direct</c>.</summary>
public sealed class AppNativeStart
{
    /// <summary>Answers in this door's envelope. The authorize endpoint, which both doors share, hands over what it parsed.</summary>
    /// <param name="pathOrganization">The <c>{org}</c> of the path as it was sent; this door answers for one that is no organization.</param>
    /// <param name="parameters">The form or the query; a repeated parameter is still visible as such.</param>
    public Task<IResult> HandleAsync(
        HttpContext context,
        Realm realm,
        string? pathOrganization,
        IReadOnlyDictionary<string, StringValues> parameters,
        CancellationToken cancellationToken) => Task.FromResult(Results.NotFound());
}
