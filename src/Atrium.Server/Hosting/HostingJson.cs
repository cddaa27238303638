using System.Text.Json.Serialization;
using Atrium.Server.Keys;

namespace Atrium.Server.Hosting;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(JwkSet))]
internal sealed partial class HostingJson : JsonSerializerContext;
