using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Atrium.Core.Users;

namespace Atrium.Core.Resources;

/// <summary>Something that a person has beside the password: an authenticator app.</summary>
public record FactorResource
{
    [Description("`fac_` and 25 digits.")]
    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required FactorType Type { get; init; }

    [Description("The name of the product that the app shows.")]
    public required string Issuer { get; init; }

    [Description("The account name that the app shows.")]
    public required string Account { get; init; }

    [Description("Whether the person has shown once that the app has the secret. Until then the factor protects nothing and locks nobody out.")]
    public required bool Confirmed { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static FactorResource Of(Factor factor) => new()
    {
        Id = factor.Id.ToString(),
        UserId = factor.UserId.ToString(),
        Type = FactorType.Totp,
        Issuer = factor.Issuer,
        Account = factor.Account,
        Confirmed = factor.Confirmed,
        CreatedAt = factor.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = factor.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A factor that was just enrolled, with what the person's app needs, which is shown this once.</summary>
public sealed record EnrolledFactorResource : FactorResource
{
    public EnrolledFactorResource()
    {
    }

    [SetsRequiredMembers]
    private EnrolledFactorResource(FactorResource shown, string secret, string uri, string qrCode)
        : base(shown) => (Secret, Uri, QrCode) = (secret, uri, qrCode);

    [Description("Base 32, to be typed into the app. It can't be shown again.")]
    public required string Secret { get; init; }

    [Description("The same as an `otpauth:` address.")]
    public required string Uri { get; init; }

    [Description("The same as a QR code: a PNG in a `data:` address.")]
    public required string QrCode { get; init; }

    public static EnrolledFactorResource Of(Factor factor, string secret, string uri, string qrCode) => new(Of(factor), secret, uri, qrCode);
}
