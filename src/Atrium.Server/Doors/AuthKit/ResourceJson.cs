using System.Text.Json.Serialization;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources, spelled as <see cref="AuthKitJson"/> spells everything.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(Timestamp)])]
[JsonSerializable(typeof(ListJson<UserJson>))]
[JsonSerializable(typeof(OrganizationJson))]
[JsonSerializable(typeof(ListJson<OrganizationJson>))]
[JsonSerializable(typeof(MembershipJson))]
[JsonSerializable(typeof(ListJson<MembershipJson>))]
internal sealed partial class ResourceJson : JsonSerializerContext;
