using System.Text.Json.Serialization;
using Atrium.Core.Users;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>A second factor (<c>AuthenticationFactor</c>); its secret is shown once, to who enrols it.</summary>
public sealed record FactorJson
{
    [JsonPropertyName("object")]
    public string Kind => "authentication_factor";

    public required string Id { get; init; }

    public string Type => "totp";

    public required string UserId { get; init; }

    public required TotpJson Totp { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static FactorJson From(Factor factor) => new()
    {
        Id = factor.Id.ToString(),
        UserId = factor.UserId.ToString(),
        Totp = new TotpJson { Issuer = factor.Issuer, User = factor.Account },
        CreatedAt = factor.CreatedAt,
        UpdatedAt = factor.UpdatedAt,
    };
}

/// <summary>What the authenticator app shows; with the secret in three forms where the factor was just enrolled.</summary>
public sealed record TotpJson
{
    public required string Issuer { get; init; }

    public required string User { get; init; }

    public string? Secret { get; init; }

    public string? Uri { get; init; }

    /// <summary>A PNG as a <c>data:</c> URL.</summary>
    public string? QrCode { get; init; }
}

public sealed record ChallengeJson
{
    [JsonPropertyName("object")]
    public string Kind => "authentication_challenge";

    public required string Id { get; init; }

    public required string AuthenticationFactorId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static ChallengeJson From(FactorChallenge challenge) => new()
    {
        Id = challenge.Id.ToString(),
        AuthenticationFactorId = challenge.FactorId.ToString(),
        ExpiresAt = challenge.ExpiresAt,
        CreatedAt = challenge.CreatedAt,
        UpdatedAt = challenge.SpentAt ?? challenge.CreatedAt,
    };
}

public sealed record EnrolledFactorJson(FactorJson AuthenticationFactor, ChallengeJson AuthenticationChallenge);

public sealed record VerifiedChallengeJson(ChallengeJson Challenge, bool Valid);

public sealed record EmailVerificationJson
{
    [JsonPropertyName("object")]
    public string Kind => "email_verification";

    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required string Email { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required string Code { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}
