using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Storage;

namespace Atrium.Tests.Harness;

/// <summary>Changes of stored things to what a test wants them to be, whatever they are by now.</summary>
internal static class Changes
{
    public static async Task<UserWrite> UpdateAsync(this UserStore users, User user, string? newPasswordHash, CancellationToken cancellationToken) =>
        (await users.ChangeAsync(user.RealmId, user.Id, _ => user, newPasswordHash, Origin.System, cancellationToken)).Outcome;

    public static async Task<OrganizationWrite> UpdateAsync(
        this OrganizationStore organizations, Organization organization, IReadOnlyList<OrganizationDomain>? domains, CancellationToken cancellationToken) =>
        (await organizations.ChangeAsync(organization.RealmId, organization.Id, (_, _) => new(organization, domains), Origin.System, cancellationToken)).Outcome;

    /// <summary>False when there is no such membership.</summary>
    public static async Task<bool> UpdateAsync(this MembershipStore memberships, Membership membership, CancellationToken cancellationToken) =>
        await memberships.ChangeAsync(membership.RealmId, membership.Id, _ => membership, Origin.System, cancellationToken) is not null;

    public static async Task<bool> DeleteAsync(
        this OrganizationStore organizations, Id<Realm> realm, Id<Organization> organization, DateTimeOffset now, CancellationToken cancellationToken) =>
        await organizations.DeleteAsync(realm, organization, static _ => true, now, Origin.System, cancellationToken) == OrganizationWrite.Done;

    public static Task<bool> DeleteAsync(this MembershipStore memberships, Membership membership, DateTimeOffset now, CancellationToken cancellationToken) =>
        memberships.DeleteAsync(membership.RealmId, membership.Id, static _ => true, now, Origin.System, cancellationToken);
}
