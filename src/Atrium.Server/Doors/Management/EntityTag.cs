using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Net.Http.Headers;

namespace Atrium.Server.Doors.Management;

/// <summary>The strong validator of a thing as it is shown (RFC 9110 section 8.8.3): a digest of its JSON.</summary>
public static class EntityTag
{
    private const int Bytes = 16;

    public static string Of<T>(T resource, JsonTypeInfo<T> type) => Of(JsonSerializer.SerializeToUtf8Bytes(resource, type));

    /// <summary>The same of the thing in an answer's body; null of a body without one.</summary>
    public static string? OfOne(ReadOnlySpan<byte> body) => body.StartsWith("{\"data\":{"u8) ? Of(body["{\"data\":"u8.Length..^1]) : null;

    public static string Of(ReadOnlySpan<byte> json) => $"\"{Base64Url.EncodeToString(SHA256.HashData(json).AsSpan(0, Bytes))}\"";
}

/// <summary>The <c>If-Match</c> of a request (RFC 9110 section 13.1.1); without one, everything matches.</summary>
public sealed class IfMatch
{
    private readonly IList<EntityTagHeaderValue>? tags;

    private IfMatch(IList<EntityTagHeaderValue>? tags) => this.tags = tags;

    /// <summary>A header that can't be read matches nothing.</summary>
    public static IfMatch Of(HttpRequest request) => request.Headers.IfMatch.Count == 0
        ? new IfMatch(null)
        : new IfMatch(EntityTagHeaderValue.TryParseStrictList([.. request.Headers.IfMatch!], out IList<EntityTagHeaderValue>? tags) ? tags : []);

    public bool Allows<T>(T resource, JsonTypeInfo<T> type) =>
        tags is null || tags.Any(static tag => tag.Tag == "*") || tags.Any(tag => !tag.IsWeak && tag.Tag == EntityTag.Of(resource, type));
}
