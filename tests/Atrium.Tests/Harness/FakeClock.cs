namespace Atrium.Tests.Harness;

/// <summary>A clock that stands until a test moves it.</summary>
public sealed class FakeClock : TimeProvider
{
    private readonly Lock gate = new();
    private DateTimeOffset now = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public void Advance(TimeSpan by)
    {
        lock (gate)
            now += by;
    }
}

/// <summary>The clock of another machine, which goes as this one does but shows another time.</summary>
public sealed class SkewedClock(TimeProvider clock, TimeSpan ahead) : TimeProvider
{
    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + ahead;

    public override long GetTimestamp() => clock.GetTimestamp();
}
