using System.ComponentModel;

namespace Atrium.Core.Realms;

/// <summary>How long people stay signed in (<c>settings.sessions</c>), in seconds. A session keeps what held when it began.</summary>
public sealed record SessionSettings
{
    public const int Shortest = 60;
    public const int LongestAge = 365 * 24 * 3600;
    public const int LongestIdleTimeout = 30 * 24 * 3600;

    [Description("Seconds a session lasts at most, however often it is used.")]
    public int MaxAge { get; init; } = 7 * 24 * 3600;

    [Description("Seconds after which a session that nobody uses is over. A silent sign-in and a refresh are uses.")]
    public int IdleTimeout { get; init; } = 12 * 3600;
}
