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

    [Description("How people come to the realm by themselves.")]
    public SignUpSettings SignUp { get; init; } = new();

    [Description("Whether nobody signs in, through whatever door, before the e-mail address is verified. The AuthKit door asks for it in any case.")]
    public bool EmailVerificationRequired { get; init; }

    [Description("How long people stay signed in.")]
    public SessionSettings Sessions { get; init; } = new();
}
