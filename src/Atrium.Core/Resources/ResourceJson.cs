using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core.Clients;
using Atrium.Core.Connections;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;

namespace Atrium.Core.Resources;

/// <summary>
/// How the house shows its things as JSON, in the management API and in events: snake_case, times in Unix milliseconds, what is missing as null.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters =
    [
        typeof(Words<ActorType>),
        typeof(Words<AuthenticationMethod>),
        typeof(Words<ClientAuth>),
        typeof(Words<ClientSharing>),
        typeof(Words<ClientStatus>),
        typeof(Words<ClientType>),
        typeof(Words<ConnectionStatus>),
        typeof(Words<ConnectionType>),
        typeof(Words<DeliveryStatus>),
        typeof(Words<DomainState>),
        typeof(Words<Door>),
        typeof(Words<ExplainedOutcome>),
        typeof(Words<ExplainedStepKind>),
        typeof(Words<FactorType>),
        typeof(Words<InvitationState>),
        typeof(Words<MailKind>),
        typeof(Words<MailTemplateSource>),
        typeof(Words<MembershipStatus>),
        typeof(Words<OrganizationObstacle>),
        typeof(Words<OrganizationPicker>),
        typeof(Words<OrganizationPolicy>),
        typeof(Words<OrganizationStatus>),
        typeof(Words<SessionEnd>),
        typeof(Words<SignInFailure>),
        typeof(Words<SigningKeyStatus>),
        typeof(Words<SignUpPolicy>),
        typeof(Words<TokenIssuerSetting>),
        typeof(Words<TokenProfile>),
        typeof(Words<UserStatus>),
        typeof(Words<WebhookDialect>),
        typeof(Words<WebhookStatus>),
    ])]
[JsonSerializable(typeof(ApiKeyResource))]
[JsonSerializable(typeof(ApiKeyWithSecretResource))]
[JsonSerializable(typeof(ClientOrganizationResource))]
[JsonSerializable(typeof(ClientResource))]
[JsonSerializable(typeof(ClientWithSecretResource))]
[JsonSerializable(typeof(ConnectionResource))]
[JsonSerializable(typeof(ConsentResource))]
[JsonSerializable(typeof(DeliveryDetailsResource))]
[JsonSerializable(typeof(DeliveryResource))]
[JsonSerializable(typeof(EnrolledFactorResource))]
[JsonSerializable(typeof(EventResource))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(FactorResource))]
[JsonSerializable(typeof(InvitationResource))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(LogoutNoticeResource))]
[JsonSerializable(typeof(MailPreviewResource))]
[JsonSerializable(typeof(MailTemplateResource))]
[JsonSerializable(typeof(MembershipResource))]
[JsonSerializable(typeof(NewRecoveryCodesResource))]
[JsonSerializable(typeof(OrganizationBudgetResource))]
[JsonSerializable(typeof(OrganizationDomainResource))]
[JsonSerializable(typeof(OrganizationResource))]
[JsonSerializable(typeof(RealmResource))]
[JsonSerializable(typeof(RecoveryCodesResource))]
[JsonSerializable(typeof(RoleResource))]
[JsonSerializable(typeof(SessionResource))]
[JsonSerializable(typeof(SignInResource))]
[JsonSerializable(typeof(SigningKeyResource))]
[JsonSerializable(typeof(UserResource))]
[JsonSerializable(typeof(WebhookResource))]
[JsonSerializable(typeof(WebhookWithSecretResource))]
public sealed partial class ResourceJson : JsonSerializerContext;

/// <summary>An enum as the words of the wire; each that is shown stands in the list above.</summary>
public sealed class Words<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
