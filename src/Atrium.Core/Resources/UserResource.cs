using System.ComponentModel;
using Atrium.Core.Users;

namespace Atrium.Core.Resources;

/// <summary>A person, once per realm, however many organizations they belong to.</summary>
public sealed record UserResource
{
    [Description("`usr_` and 25 digits: the `sub` of every token.")]
    public required string Id { get; init; }

    [Description("Unique in the realm without regard to case.")]
    public required string Email { get; init; }

    [Description("Whether the address was shown to be the person's.")]
    public required bool EmailVerified { get; init; }

    [Description("Another name to sign in with; unique in the realm without regard to case.")]
    public required string? Username { get; init; }

    public required UserProfileResource Profile { get; init; }

    [Description("The product's own id of this person; unique in the realm.")]
    public required string? ExternalId { get; init; }

    [Description("At most ten pairs of text.")]
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [Description("Who is disabled can't sign in, and has no sessions.")]
    public required UserStatus Status { get; init; }

    [Description("Unix milliseconds; null for never.")]
    public required long? LastSignInAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static UserResource Of(User user) => new()
    {
        Id = user.Id.ToString(),
        Email = user.Email,
        EmailVerified = user.EmailVerified,
        Username = user.Username,
        Profile = new()
        {
            GivenName = user.GivenName,
            FamilyName = user.FamilyName,
            Name = user.Name,
            Picture = user.Picture,
            Locale = user.Locale,
        },
        ExternalId = user.ExternalId,
        Metadata = user.Metadata,
        Status = user.Status,
        LastSignInAt = user.LastSignInAt?.ToUnixTimeMilliseconds(),
        CreatedAt = user.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = user.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>What people and applications call and show the person by.</summary>
public sealed record UserProfileResource
{
    public required string? GivenName { get; init; }

    public required string? FamilyName { get; init; }

    [Description("The whole name; without it, tokens join the two parts.")]
    public required string? Name { get; init; }

    [Description("The address of a picture.")]
    public required string? Picture { get; init; }

    [Description("A BCP 47 tag such as `en-GB`.")]
    public required string? Locale { get; init; }
}
