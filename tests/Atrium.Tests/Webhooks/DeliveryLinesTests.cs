using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Server.Webhooks;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>How much may begin to whom, so that nobody who is slow or dead takes the room of the others.</summary>
public sealed class DeliveryLinesTests
{
    private readonly DeliveryLines lines = new();

    [Fact]
    public void One_endpoint_has_so_many_under_way_and_goes_on_when_one_of_them_ends()
    {
        EndpointKey endpoint = New();
        lines.AddDue(endpoint);
        lines.Take().ShouldBe([(endpoint, DeliveryLines.MostToOne)]);
        Begin(endpoint, DeliveryLines.MostToOne);
        lines.AddDue(endpoint);
        lines.Take().ShouldBeEmpty();
        lines.End(endpoint, hasFailed: false);
        lines.Take().ShouldBe([(endpoint, 1)]);
        lines.Take().ShouldBeEmpty("nothing is due any more as far as is known");
    }

    [Fact]
    public void One_that_fails_has_one_under_way_until_it_works_again()
    {
        EndpointKey endpoint = New();
        Begin(endpoint, 2);
        lines.End(endpoint, hasFailed: true);
        lines.Take().ShouldBeEmpty("another of its attempts has not ended");
        lines.End(endpoint, hasFailed: true);
        lines.Take().ShouldBe([(endpoint, DeliveryLines.MostToFailing)]);
        Begin(endpoint, 1);
        lines.End(endpoint, hasFailed: false);
        lines.Take().ShouldBe([(endpoint, DeliveryLines.MostToOne)]);
    }

    [Fact]
    public void Whoever_finds_no_room_at_all_has_it_as_soon_as_there_is_some()
    {
        EndpointKey[] many = [.. Enumerable.Range(0, DeliveryLines.MostAtOnce / DeliveryLines.MostToOne).Select(_ => New())];
        foreach (EndpointKey endpoint in many)
            Begin(endpoint, DeliveryLines.MostToOne);
        lines.UnderWay.ShouldBe(DeliveryLines.MostAtOnce);
        EndpointKey late = New();
        lines.AddDue(late);
        lines.Take().ShouldBeEmpty();
        lines.End(many[0], hasFailed: false);
        lines.Take().ShouldBe([(late, 1)], "who has waited for longest");
        Begin(late, 1);
        lines.Take().ShouldBeEmpty();
        lines.End(late, hasFailed: false);
        lines.Take().ShouldBe([(many[0], 1)]);
    }

    private static EndpointKey New() => new(Id<Realm>.New(TimeProvider.System), Id<Webhook>.New(TimeProvider.System));

    private void Begin(EndpointKey endpoint, int times)
    {
        for (int i = 0; i < times; i++)
            lines.Begin(endpoint);
    }
}
