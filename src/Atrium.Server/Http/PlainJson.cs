using System.Text.Json.Serialization;

namespace Atrium.Server.Http;

/// <summary>Objects of a few texts, which need no type of their own.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class PlainJson : JsonSerializerContext;
