namespace Atrium.Core.Webhooks;

/// <summary>What an attempt means for its delivery and its endpoint.</summary>
/// <param name="Status">Of the delivery, from now on.</param>
/// <param name="Wait">Until the next attempt, if there is one.</param>
/// <param name="Pause">For how long nothing at all goes to the endpoint.</param>
/// <param name="Disables">Nothing goes there any more.</param>
public sealed record DeliveryDecision(DeliveryStatus Status, TimeSpan? Wait = null, TimeSpan? Pause = null, bool Disables = false);

/// <summary>When a delivery is tried again, and when it is given up.</summary>
public static class DeliveryRules
{
    /// <summary>Attempts of a delivery, over about three days.</summary>
    public static int MaxTries => Waits.Length + 1;

    /// <summary>
    /// So many attempts keep later deliveries of the same subject waiting, for 35 minutes at least; after that the later ones overtake, so that one
    /// message that the receiver can't take does not hold up all that follows it for days.
    /// </summary>
    public const int TriesInOrder = 4;

    /// <summary>Of an endpoint that asks for patience without saying how much.</summary>
    private static readonly TimeSpan ShortPause = TimeSpan.FromSeconds(30);

    /// <summary>However long an endpoint asks to be left alone.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(24);

    /// <summary>The share of a wait that chance adds, so that what failed together does not come again together.</summary>
    private const double Jitter = 0.2;

    /// <summary>Between one attempt and the next, as Standard Webhooks has them.</summary>
    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <param name="tries">Attempts of this delivery, this one included.</param>
    /// <param name="statusCode">Null when there was no answer.</param>
    /// <param name="retryAfter">What the answer asks for.</param>
    /// <param name="chance">From 0 up to 1.</param>
    public static DeliveryDecision After(int tries, int? statusCode, TimeSpan? retryAfter, double chance)
    {
        if (statusCode is >= 200 and < 300)
            return new(DeliveryStatus.Delivered);
        if (statusCode is 410)
            return new(DeliveryStatus.Failed, Disables: true);

        TimeSpan? pause = retryAfter ?? (statusCode is 429 or 502 or 504 ? ShortPause : null);
        if (pause > LongestPause)
            pause = LongestPause;
        if (tries >= MaxTries)
            return new(DeliveryStatus.Failed, Pause: pause);
        TimeSpan wait = Waits[tries - 1] * (1 + (Jitter * chance));
        return new(DeliveryStatus.Pending, wait > pause ? wait : pause ?? wait, pause);
    }
}
