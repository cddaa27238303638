using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Resources;

namespace Atrium.Storage;

/// <summary>What the log says of changes to organizations and what is in them.</summary>
internal static class OrganizationEvents
{
    private static readonly string[] StatusFields = ["status", "status_reason"];

    public static void Created(EventLog log, Organization organization) => log.Add(Of(EventTypes.OrganizationCreated, organization));

    public static void Deleted(EventLog log, Organization organization) => log.Add(Of(EventTypes.OrganizationDeleted, organization));

    /// <summary>
    /// Whether anything differs. A new status has an event of its own, and one beside it where more is changed.
    /// </summary>
    public static bool Updated(EventLog log, Organization before, Organization after)
    {
        EventDraft updated = EventDraft.Updated(
            EventTypes.OrganizationUpdated,
            after.Id.ToString(),
            OrganizationResource.Of(before),
            OrganizationResource.Of(after),
            ResourceJson.Default.OrganizationResource) with { OrganizationId = after.Id };
        if (updated.Changed is not { Count: > 0 } changed)
            return false;
        if (before.Status != after.Status)
            log.Add(updated with { Type = after.Status == OrganizationStatus.Active ? EventTypes.OrganizationActivated : EventTypes.OrganizationSuspended });
        if (before.Status == after.Status || changed.Except(StatusFields, StringComparer.Ordinal).Any())
            log.Add(updated);
        return true;
    }

    public static void Add(EventLog log, string type, OrganizationDomain domain) =>
        log.Add(EventDraft.Of(type, domain.Id.ToString(), OrganizationDomainResource.Of(domain), ResourceJson.Default.OrganizationDomainResource)
            with { OrganizationId = domain.OrganizationId });

    public static void Add(EventLog log, string type, Membership membership) =>
        log.Add(EventDraft.Of(type, membership.Id.ToString(), MembershipResource.Of(membership), ResourceJson.Default.MembershipResource)
            with { OrganizationId = membership.OrganizationId, UserId = membership.UserId });

    /// <summary>Whether anything differs.</summary>
    public static bool Updated(EventLog log, Membership before, Membership after)
    {
        EventDraft updated = EventDraft.Updated(
            EventTypes.MembershipUpdated,
            after.Id.ToString(),
            MembershipResource.Of(before),
            MembershipResource.Of(after),
            ResourceJson.Default.MembershipResource) with { OrganizationId = after.OrganizationId, UserId = after.UserId };
        if (updated.Changed is not { Count: > 0 })
            return false;
        log.Add(updated);
        return true;
    }

    private static EventDraft Of(string type, Organization organization) =>
        EventDraft.Of(type, organization.Id.ToString(), OrganizationResource.Of(organization), ResourceJson.Default.OrganizationResource)
            with { OrganizationId = organization.Id };
}
