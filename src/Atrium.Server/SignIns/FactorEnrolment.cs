using System.Security.Cryptography;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Keys;
using Atrium.Storage;
using QRCoder;

namespace Atrium.Server.SignIns;

/// <summary>A factor that is about to be stored, with what the person's app needs, in three forms. Nobody can be shown these again.</summary>
/// <param name="Secret">Base 32.</param>
/// <param name="Uri"><c>otpauth:</c>.</param>
/// <param name="QrCode">A PNG as a <c>data:</c> URL.</param>
public sealed record EnrolledFactor(Factor Factor, string Secret, string Uri, string QrCode)
{
    public override string ToString() => Factor.Id.ToString();
}

/// <summary>Makes second factors, for every door that people get one through.</summary>
public sealed class FactorEnrolment(RealmStore realms, SignInDesk desk, SecretBox box, TimeProvider clock)
{
    public const int MaxNameLength = 100;

    private const int MaxSecretLength = 64;

    /// <summary>RFC 4226 section 4 asks for 128 bits; secrets of 80 are what authenticators were given for years, and are imported.</summary>
    private const int MinSecretLength = 10;

    /// <summary>What a secret that is brought along from elsewhere must be.</summary>
    public static string SecretForm { get; } = $"{MinSecretLength} to {MaxSecretLength} bytes in base 32";

    /// <summary>The longest base 32 of one, with its padding.</summary>
    public static int MaxSecretText { get; } = (MaxSecretLength + 4) / 5 * 8;

    /// <summary>A secret that is brought along from elsewhere; null for what is none.</summary>
    public static byte[]? ReadSecret(string text) =>
        Base32.TryDecode(text, out byte[]? secret) && secret.Length is >= MinSecretLength and <= MaxSecretLength ? secret : null;

    /// <summary>A factor of this person, to be stored; it protects nothing and locks nobody out until its first right code.</summary>
    /// <param name="issuer">The name of the product that the app shows; the realm's unless said.</param>
    /// <param name="account">The account that the app shows; the address unless said.</param>
    /// <param name="secret">A secret that is brought along; a new one unless said.</param>
    public async Task<EnrolledFactor> PrepareAsync(User user, string? issuer, string? account, byte[]? secret, CancellationToken cancellationToken)
    {
        secret ??= RandomNumberGenerator.GetBytes(Totp.SecretLength);
        DateTimeOffset now = clock.GetUtcNow();
        Factor factor = desk.SealFactor(
            new Factor
            {
                RealmId = user.RealmId,
                Id = Id<Factor>.New(clock),
                UserId = user.Id,
                Issuer = issuer ?? await NameOfAsync(user.RealmId, cancellationToken),
                Account = account ?? user.Email,
                SealedSecret = [],
                Confirmed = false,
                CreatedAt = now,
                UpdatedAt = now,
            },
            secret);
        return Show(factor, secret);
    }

    /// <summary>The same once more of a factor that nobody has confirmed yet; null when its secret can't be opened.</summary>
    public EnrolledFactor? Show(Factor factor) =>
        box.Open(factor.SealedSecret, SecretPlaces.Of(factor.RealmId, factor.Id)) is { } secret ? Show(factor, secret) : null;

    private static EnrolledFactor Show(Factor factor, byte[] secret)
    {
        string uri = Totp.Uri(factor.Issuer, factor.Account, secret);
        return new(factor, Base32.Encode(secret), uri, QrCode(uri));
    }

    private async Task<string> NameOfAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        (await realms.FindAsync(realm, cancellationToken) ?? throw new InvalidOperationException("A person's realm exists.")).Name;

    private static string QrCode(string uri)
    {
        using QRCodeData code = QRCodeGenerator.GenerateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        using PngByteQRCode png = new(code);
        return $"data:image/png;base64,{Convert.ToBase64String(png.GetGraphic(pixelsPerModule: 5))}";
    }
}
