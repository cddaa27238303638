using System.ComponentModel;

namespace Atrium.Core.Realms;

/// <summary>What holds for a whole realm.</summary>
public sealed record RealmSettings
{
    public const int ShortestEventRetention = 1;
    public const int LongestEventRetention = 3650;

    [Description("How many days an event stays in the log.")]
    public int EventRetentionDays { get; init; } = 365;

    [Description("How people come to the realm by themselves.")]
    public SignUpSettings SignUp { get; init; } = new();

    [Description("Whether nobody signs in, through whatever door, before the e-mail address is verified. The AuthKit door asks for it in any case.")]
    public bool EmailVerificationRequired { get; init; }
}
