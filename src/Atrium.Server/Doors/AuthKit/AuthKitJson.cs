using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Server.Doors.AuthKit.Authenticate;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// How this door spells JSON. What is null is left out, because the SDKs read an absent key and a null differently; where the schema wants a
/// null written, the property says so (<c>JsonIgnoreCondition.Never</c>).
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(Timestamp)])]
[JsonSerializable(typeof(AuthKitErrorBody))]
[JsonSerializable(typeof(UserJson))]
[JsonSerializable(typeof(ListJson<UserJson>))]
[JsonSerializable(typeof(OrganizationJson))]
[JsonSerializable(typeof(ListJson<OrganizationJson>))]
[JsonSerializable(typeof(MembershipJson))]
[JsonSerializable(typeof(ListJson<MembershipJson>))]
[JsonSerializable(typeof(AuthenticateJson))]
[JsonSerializable(typeof(FactorJson))]
[JsonSerializable(typeof(ListJson<FactorJson>))]
[JsonSerializable(typeof(EnrolledFactorJson))]
[JsonSerializable(typeof(ChallengeJson))]
[JsonSerializable(typeof(VerifiedChallengeJson))]
[JsonSerializable(typeof(EmailVerificationJson))]
[JsonSerializable(typeof(SessionJson))]
[JsonSerializable(typeof(ListJson<SessionJson>))]
[JsonSerializable(typeof(string))]
internal sealed partial class AuthKitJson : JsonSerializerContext;

/// <summary>UTC with milliseconds and Z, as in <c>2026-01-15T12:00:00.000Z</c>.</summary>
public sealed class Timestamp : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
}
