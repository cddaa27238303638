using System.ComponentModel;
using Atrium.Core.Realms;

namespace Atrium.Core.Resources;

/// <summary>A key that a realm signs with, without its private part.</summary>
public sealed record SigningKeyResource
{
    [Description("The `kid` of the key set and of every header signed with it.")]
    public required string Kid { get; init; }

    [Description("`ES256`, `RS256` or `EdDSA`.")]
    public required string Alg { get; init; }

    [Description("`next` is published and does not sign yet, `active` signs, `retiring` is published and signs no more, `retired` is not published.")]
    public required SigningKeyStatus Status { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Since when it signs. Unix milliseconds.")]
    public required long? ActivatedAt { get; init; }

    [Description("When it is taken out of the key set; null until another key takes its place. Unix milliseconds.")]
    public required long? RetiresAt { get; init; }

    public static SigningKeyResource Of(SigningKey key, DateTimeOffset now) => new()
    {
        Kid = key.Kid,
        Alg = key.Algorithm,
        Status = key.StatusAt(now),
        CreatedAt = key.CreatedAt.ToUnixTimeMilliseconds(),
        ActivatedAt = key.ActivatedAt?.ToUnixTimeMilliseconds(),
        RetiresAt = key.RetiresAt?.ToUnixTimeMilliseconds(),
    };
}
