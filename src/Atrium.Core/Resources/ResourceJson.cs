using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>
/// How the house shows its things as JSON, in the management API and in events: snake_case, times in Unix milliseconds, what is missing as null.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters =
    [
        typeof(Words<ActorType>), typeof(Words<AuthenticationMethod>), typeof(Words<DomainState>), typeof(Words<Door>), typeof(Words<MembershipStatus>),
        typeof(Words<ExplainedOutcome>), typeof(Words<ExplainedStepKind>), typeof(Words<OrganizationObstacle>), typeof(Words<OrganizationStatus>), typeof(Words<SignInFailure>),
        typeof(Words<TokenProfile>),
    ])]
[JsonSerializable(typeof(ApiKeyResource))]
[JsonSerializable(typeof(ApiKeyWithSecretResource))]
[JsonSerializable(typeof(EventResource))]
[JsonSerializable(typeof(ExplanationResource))]
[JsonSerializable(typeof(MembershipResource))]
[JsonSerializable(typeof(OrganizationDomainResource))]
[JsonSerializable(typeof(OrganizationResource))]
[JsonSerializable(typeof(RoleResource))]
[JsonSerializable(typeof(SignInResource))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class ResourceJson : JsonSerializerContext;

/// <summary>An enum as the words of the wire; each that is shown stands in the list above.</summary>
public sealed class Words<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
