using System.ComponentModel;

namespace Atrium.Core.Realms;

/// <summary>What holds for a whole realm.</summary>
public sealed record RealmSettings
{
    public const int ShortestEventRetention = 1;
    public const int LongestEventRetention = 3650;

    [Description("How many days an event stays in the log.")]
    public int EventRetentionDays { get; init; } = 365;

    [Description("How long people stay signed in.")]
    public SessionSettings Sessions { get; init; } = new();
}
