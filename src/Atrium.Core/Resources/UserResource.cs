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

    [Description("As it was written, best in the form of E.164.")]
    public required string? PhoneNumber { get; init; }

    [Description("Whether the number was shown to be the person's.")]
    public required bool PhoneNumberVerified { get; init; }

    [Description("Where the person gets letters; null where nothing is known of it.")]
    public required UserAddressResource? Address { get; init; }

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
        PhoneNumber = user.PhoneNumber,
        PhoneNumberVerified = user.PhoneNumberVerified,
        Address = user.Address is not { } address
            ? null
            : new()
            {
                Formatted = address.Formatted,
                StreetAddress = address.StreetAddress,
                Locality = address.Locality,
                Region = address.Region,
                PostalCode = address.PostalCode,
                Country = address.Country,
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

/// <summary>A postal address in its parts, any of which may be missing.</summary>
public sealed record UserAddressResource
{
    [Description("The whole of it as it stands on an envelope, perhaps in several lines.")]
    public required string? Formatted { get; init; }

    [Description("Street and house or post box, perhaps in several lines.")]
    public required string? StreetAddress { get; init; }

    [Description("The town.")]
    public required string? Locality { get; init; }

    [Description("The state, province or region.")]
    public required string? Region { get; init; }

    public required string? PostalCode { get; init; }

    public required string? Country { get; init; }
}
