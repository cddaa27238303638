using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AppNative;

/// <summary>The beginning of an app-native flow: an authorization request with <c>response_mode=direct</c>.</summary>
public sealed class AppNativeStart
{
    /// <summary>Answers in this door's envelope. The authorize endpoint, which both doors share, hands over what it parsed.</summary>
    public Task<IResult> HandleAsync(
        HttpContext context,
        Realm realm,
        Id<Organization>? pathOrganization,
        IReadOnlyDictionary<string, StringValues> parameters,
        CancellationToken cancellationToken) => Task.FromResult(Results.NotFound());
}
