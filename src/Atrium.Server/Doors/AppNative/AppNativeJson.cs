using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Atrium.Server.Doors.AppNative;

/// <summary>An answer of the flow; the members in the order of the reference, and none that is empty.</summary>
public sealed record FlowBody
{
    [JsonPropertyName("flowId")]
    public string? FlowId { get; init; }

    [JsonPropertyName("flowStatus")]
    public required string FlowStatus { get; init; }

    [JsonPropertyName("flowType")]
    public string? FlowType { get; init; }

    [JsonPropertyName("nextStep")]
    public NextStepBody? NextStep { get; init; }

    [JsonPropertyName("links")]
    public IReadOnlyList<LinkBody>? Links { get; init; }

    [JsonPropertyName("authData")]
    public AuthDataBody? AuthData { get; init; }
}

public sealed record NextStepBody(
    [property: JsonPropertyName("stepType")] string StepType,
    [property: JsonPropertyName("authenticators")] IReadOnlyList<AuthenticatorBody> Authenticators,
    [property: JsonPropertyName("messages")] IReadOnlyList<MessageBody>? Messages);

public sealed record AuthenticatorBody(
    [property: JsonPropertyName("authenticatorId")] string AuthenticatorId,
    [property: JsonPropertyName("authenticator")] string Authenticator,
    [property: JsonPropertyName("idp")] string Idp,
    [property: JsonPropertyName("metadata")] AuthenticatorMetadataBody Metadata,
    [property: JsonPropertyName("requiredParams")] IReadOnlyList<string>? RequiredParams);

public sealed record AuthenticatorMetadataBody(
    [property: JsonPropertyName("i18nKey")] string I18nKey,
    [property: JsonPropertyName("promptType")] string? PromptType,
    [property: JsonPropertyName("params")] IReadOnlyList<ParameterBody>? Parameters);

public sealed record ParameterBody(
    [property: JsonPropertyName("param")] string Param,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("order")] int Order,
    [property: JsonPropertyName("i18nKey")] string I18nKey,
    [property: JsonPropertyName("displayName")] string DisplayName,
    [property: JsonPropertyName("confidential")] bool Confidential);

public sealed record MessageBody(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("i18nKey")] string I18nKey);

public sealed record LinkBody(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("href")] string Href,
    [property: JsonPropertyName("method")] string Method);

public sealed record AuthDataBody(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("state")] string? State,
    [property: JsonPropertyName("session_state")] string SessionState);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FlowBody))]
[JsonSerializable(typeof(AppNativeErrorBody))]
internal sealed partial class AppNativeJson : JsonSerializerContext
{
    /// <summary>Display names read as they are ("Username &amp; Password"): the answer is JSON and says so, never part of an HTML page.</summary>
    public static AppNativeJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
