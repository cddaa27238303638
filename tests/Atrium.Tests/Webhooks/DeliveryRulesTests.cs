using Atrium.Core.Webhooks;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>When a delivery is tried again, and when it is given up.</summary>
public sealed class DeliveryRulesTests
{
    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(299)]
    public void Any_2xx_is_success(int status) => DeliveryRules.After(1, status, TimeSpan.FromHours(1), 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Delivered));

    [Theory]
    [InlineData(101)]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(304)]
    [InlineData(307)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(null)]
    public void Anything_else_is_failure_and_nobody_else_waits_for_it(int? status) =>
        DeliveryRules.After(1, status, retryAfter: null, 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Pending, TimeSpan.FromSeconds(5)));

    [Fact]
    public void There_are_ten_attempts_with_the_waits_of_Standard_Webhooks_between_them()
    {
        TimeSpan[] waits = [.. Enumerable.Range(1, 9).Select(static tries => DeliveryRules.After(tries, 500, retryAfter: null, chance: 0).Wait!.Value)];
        waits.ShouldBe(
        [
            TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
            TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
        ]);
        DeliveryRules.MaxTries.ShouldBe(10);
        DeliveryRules.After(10, 500, retryAfter: null, chance: 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Failed));
        DeliveryRules.After(10, 204, retryAfter: null, chance: 0).Status.ShouldBe(DeliveryStatus.Delivered);
    }

    [Theory]
    [InlineData(0, 300)]
    [InlineData(0.5, 330)]
    [InlineData(0.999, 359)]
    public void Chance_adds_up_to_a_fifth(double chance, int seconds) =>
        ((int)DeliveryRules.After(2, 500, retryAfter: null, chance).Wait!.Value.TotalSeconds).ShouldBe(seconds);

    [Fact]
    public void Gone_is_for_good() =>
        DeliveryRules.After(1, 410, retryAfter: null, chance: 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Failed, Disables: true));

    [Theory]
    [InlineData(429)]
    [InlineData(502)]
    [InlineData(504)]
    public void An_endpoint_that_can_take_no_more_is_left_alone_for_a_moment(int status)
    {
        TimeSpan moment = TimeSpan.FromSeconds(30);
        DeliveryRules.After(1, status, retryAfter: null, chance: 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Pending, moment, moment));
        DeliveryRules.After(2, status, retryAfter: null, chance: 0).ShouldBe(new DeliveryDecision(DeliveryStatus.Pending, TimeSpan.FromMinutes(5), moment));
    }

    [Theory]
    [InlineData(503, 120, 120)]
    [InlineData(429, 1, 1)]
    [InlineData(500, 1_000_000_000, 24 * 3600)]
    public void An_endpoint_that_says_how_long_is_left_alone_so_long_but_no_longer_than_a_day(int status, int asked, int pause)
    {
        DeliveryDecision decision = DeliveryRules.After(1, status, TimeSpan.FromSeconds(asked), chance: 0);
        decision.Pause.ShouldBe(TimeSpan.FromSeconds(pause));
        decision.Wait.ShouldBe(TimeSpan.FromSeconds(Math.Max(pause, 5)));
    }
}
