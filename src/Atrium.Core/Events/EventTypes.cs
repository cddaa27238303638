namespace Atrium.Core.Events;

/// <summary>What can happen in a realm. The names are what webhooks and filters know: they never change.</summary>
public static class EventTypes
{
    public const string ApiKeyCreated = "api_key.created";
    public const string ApiKeyDeleted = "api_key.deleted";
    public const string ApiKeyRotated = "api_key.rotated";
    public const string ApiKeyUpdated = "api_key.updated";
    public const string ClientCreated = "client.created";
    public const string ClientDeleted = "client.deleted";
    public const string ClientOrganizationAdded = "client.organization.added";
    public const string ClientOrganizationRemoved = "client.organization.removed";
    public const string ClientOrganizationBudgetExceeded = "client.organization_budget_exceeded";
    public const string ClientSecretRotated = "client.secret_rotated";
    public const string ClientUpdated = "client.updated";
    public const string ConnectionCreated = "connection.created";
    public const string ConnectionDeleted = "connection.deleted";
    public const string ConnectionUpdated = "connection.updated";
    public const string InvitationAccepted = "organization.invitation.accepted";
    public const string InvitationCreated = "organization.invitation.created";
    public const string InvitationResent = "organization.invitation.resent";
    public const string InvitationRevoked = "organization.invitation.revoked";
    public const string MailTemplateDeleted = "mail_template.deleted";
    public const string MailTemplateUpdated = "mail_template.updated";
    public const string MembershipCreated = "organization.membership.created";
    public const string MembershipDeleted = "organization.membership.deleted";
    public const string MembershipUpdated = "organization.membership.updated";
    public const string OrganizationActivated = "organization.activated";
    public const string OrganizationCreated = "organization.created";
    public const string OrganizationDeleted = "organization.deleted";
    public const string OrganizationDomainCreated = "organization.domain.created";
    public const string OrganizationDomainDeleted = "organization.domain.deleted";
    public const string OrganizationDomainVerificationFailed = "organization.domain.verification_failed";
    public const string OrganizationDomainVerified = "organization.domain.verified";
    public const string OrganizationRoleCreated = "organization.role.created";
    public const string OrganizationRoleDeleted = "organization.role.deleted";
    public const string OrganizationRoleUpdated = "organization.role.updated";
    public const string OrganizationSuspended = "organization.suspended";
    public const string OrganizationUpdated = "organization.updated";
    public const string RealmCreated = "realm.created";
    public const string RealmDeleted = "realm.deleted";
    public const string RealmUpdated = "realm.updated";
    public const string RoleCreated = "role.created";
    public const string RoleDeleted = "role.deleted";
    public const string RoleUpdated = "role.updated";
    public const string SessionCreated = "session.created";
    public const string SessionEnded = "session.ended";
    public const string SessionLogoutFailed = "session.logout_failed";
    public const string SignInFailed = "sign_in.failed";
    public const string SignInOrganizationChosen = "sign_in.organization_chosen";
    public const string SignInSucceeded = "sign_in.succeeded";
    public const string SigningKeyRotated = "signing_key.rotated";
    public const string UserConsentGranted = "user.consent.granted";
    public const string UserConsentRevoked = "user.consent.revoked";
    public const string UserCreated = "user.created";
    public const string UserDeleted = "user.deleted";
    public const string UserFactorConfirmed = "user.factor.confirmed";
    public const string UserFactorCreated = "user.factor.created";
    public const string UserFactorDeleted = "user.factor.deleted";
    public const string UserPasswordChanged = "user.password.changed";
    public const string UserRecoveryCodesCreated = "user.recovery_codes.created";
    public const string UserRecoveryCodeUsed = "user.recovery_code.used";
    public const string UserUpdated = "user.updated";
    public const string WebhookCreated = "webhook.created";
    public const string WebhookDeleted = "webhook.deleted";
    public const string WebhookDisabled = "webhook.disabled";
    public const string WebhookSecretRotated = "webhook.secret_rotated";
    public const string WebhookUpdated = "webhook.updated";

    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. typeof(EventTypes).GetFields().Where(static field => field.IsLiteral).Select(static field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal),
    ];

    /// <summary>The types that a filter's word means: a type, all that begin as <c>organization.*</c> does, or <c>*</c>. Empty for what is none.</summary>
    public static IReadOnlyList<string> Matching(string word) => word switch
    {
        "*" => All,
        _ when word.EndsWith(".*", StringComparison.Ordinal) => [.. All.Where(type => type.StartsWith(word[..^1], StringComparison.Ordinal))],
        _ => All.Contains(word) ? [word] : [],
    };
}
