using System.Text.Json;
using Atrium.Core.Events;

namespace Atrium.Core.Webhooks;

/// <summary>
/// Events in WorkOS's words. What WorkOS has no event for is not sent: the choice of an organization, changes of clients, keys and endpoints, and
/// the rest of what is the house's own.
/// </summary>
public static class AuthKitEvents
{
    private static readonly Dictionary<string, (string Name, AuthKitEventData.Writer Write)> Known = new(StringComparer.Ordinal)
    {
        [EventTypes.UserCreated] = ("user.created", AuthKitEventData.User),
        [EventTypes.UserUpdated] = ("user.updated", AuthKitEventData.User),
        [EventTypes.UserDeleted] = ("user.deleted", AuthKitEventData.User),
        [EventTypes.SessionCreated] = ("session.created", AuthKitEventData.Session),
        [EventTypes.SessionEnded] = ("session.revoked", AuthKitEventData.Session),
        [EventTypes.OrganizationCreated] = ("organization.created", AuthKitEventData.Organization),
        [EventTypes.OrganizationUpdated] = ("organization.updated", AuthKitEventData.Organization),
        [EventTypes.OrganizationSuspended] = ("organization.updated", AuthKitEventData.Organization),
        [EventTypes.OrganizationActivated] = ("organization.updated", AuthKitEventData.Organization),
        [EventTypes.OrganizationDeleted] = ("organization.deleted", AuthKitEventData.Organization),
        [EventTypes.OrganizationDomainCreated] = ("organization_domain.created", AuthKitEventData.Domain),
        [EventTypes.OrganizationDomainVerified] = ("organization_domain.verified", AuthKitEventData.Domain),
        [EventTypes.OrganizationDomainVerificationFailed] = ("organization_domain.verification_failed", AuthKitEventData.FailedDomain),
        [EventTypes.OrganizationDomainDeleted] = ("organization_domain.deleted", AuthKitEventData.Domain),
        [EventTypes.MembershipCreated] = ("organization_membership.created", AuthKitEventData.Membership),
        [EventTypes.MembershipUpdated] = ("organization_membership.updated", AuthKitEventData.Membership),
        [EventTypes.MembershipDeleted] = ("organization_membership.deleted", AuthKitEventData.Membership),
        [EventTypes.InvitationCreated] = ("invitation.created", AuthKitEventData.Invitation),
        [EventTypes.InvitationResent] = ("invitation.resent", AuthKitEventData.Invitation),
        [EventTypes.InvitationAccepted] = ("invitation.accepted", AuthKitEventData.Invitation),
        [EventTypes.InvitationRevoked] = ("invitation.revoked", AuthKitEventData.Invitation),
        [EventTypes.RoleCreated] = ("role.created", AuthKitEventData.Role),
        [EventTypes.RoleUpdated] = ("role.updated", AuthKitEventData.Role),
        [EventTypes.RoleDeleted] = ("role.deleted", AuthKitEventData.Role),
        [EventTypes.OrganizationRoleCreated] = ("organization_role.created", AuthKitEventData.OrganizationRole),
        [EventTypes.OrganizationRoleUpdated] = ("organization_role.updated", AuthKitEventData.OrganizationRole),
        [EventTypes.OrganizationRoleDeleted] = ("organization_role.deleted", AuthKitEventData.OrganizationRole),
    };

    /// <summary>Null where WorkOS has no such event.</summary>
    public static string? NameOf(string type) => Known.TryGetValue(type, out (string Name, AuthKitEventData.Writer Write) known) ? known.Name : null;

    /// <summary>The whole event object, of an event that has a name.</summary>
    public static string Write(Event happened, AuthKitFacts facts)
    {
        (string name, AuthKitEventData.Writer write) = Known[happened.Type];
        using JsonDocument resource = JsonDocument.Parse(happened.Data);
        return WebhookBodies.Text(json =>
        {
            json.WriteString("object", "event");
            json.WriteString("id", happened.Id.ToString());
            json.WriteString("event", name);
            json.WriteString("created_at", WebhookBodies.Timestamp(happened.CreatedAt));
            json.WriteStartObject("data");
            write(json, new AuthKitSource(happened, resource.RootElement, facts));
            json.WriteEndObject();
        });
    }
}
