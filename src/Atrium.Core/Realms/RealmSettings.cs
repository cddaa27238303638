using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Atrium.Core.Realms;

/// <summary>What holds for a whole realm.</summary>
public sealed record RealmSettings
{
    public const int ShortestEventRetention = 1;
    public const int LongestEventRetention = 3650;

    public const int LongestSigningKeyDays = 365;

    [Description("How many days an event stays in the log.")]
    public int EventRetentionDays { get; init; } = 365;

    [Description("How many days a signing key signs before the next one takes its place by itself; 0 for ever.")]
    public int SigningKeyDays { get; init; } = 30;

    /// <summary>The same; null for ever.</summary>
    [JsonIgnore]
    public TimeSpan? SigningKeyPeriod => SigningKeyDays == 0 ? null : TimeSpan.FromDays(SigningKeyDays);
}
