using System.Text.Json.Serialization;
using Atrium.Core.Users;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>A person (<c>UserlandUser</c>). SDKs index the nullable keys, so they are always there.</summary>
public sealed record UserJson
{
    [JsonPropertyName("object")]
    public string Kind => "user";

    public required string Id { get; init; }

    public required string Email { get; init; }

    public required bool EmailVerified { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? FirstName { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? LastName { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? ProfilePictureUrl { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? ExternalId { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Locale { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? LastSignInAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static UserJson From(User user) => new()
    {
        Id = user.Id.ToString(),
        Email = user.Email,
        EmailVerified = user.EmailVerified,
        FirstName = user.GivenName,
        LastName = user.FamilyName,
        Name = user.DisplayName,
        ProfilePictureUrl = user.Picture,
        ExternalId = user.ExternalId,
        Metadata = user.Metadata,
        Locale = user.Locale,
        LastSignInAt = user.LastSignInAt,
        CreatedAt = user.CreatedAt,
        UpdatedAt = user.UpdatedAt,
    };
}
