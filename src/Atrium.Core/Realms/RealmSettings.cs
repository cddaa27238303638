namespace Atrium.Core.Realms;

/// <summary>What holds for a whole realm.</summary>
public sealed record RealmSettings
{
    public const int ShortestEventRetention = 1;
    public const int LongestEventRetention = 3650;

    /// <summary>How many days an event stays in the log.</summary>
    public int EventRetentionDays { get; init; } = 365;
}
