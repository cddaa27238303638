using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Tests.Harness;

/// <summary>Look-ups of which a test wants only a part.</summary>
internal static class LookUps
{
    /// <summary>Who signs in under this name, whatever was guessed before.</summary>
    public static async Task<UserAndPassword?> FindForSignInAsync(
        this UserStore users, Id<Realm> realm, string identifier, Id<Organization>? memberOf, CancellationToken cancellationToken) =>
        (await users.FindForSignInAsync(realm, identifier, memberOf, new GuessWatch(realm, [], DateTimeOffset.UnixEpoch), cancellationToken)).User;
}
