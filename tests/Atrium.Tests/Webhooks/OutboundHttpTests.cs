using System.Net;
using System.Text;
using Atrium.Server.Http;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>Requests to addresses that somebody else has named stay out of this machine and its network.</summary>
public sealed class OutboundHttpTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("10.1.2.3")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    public async Task A_name_that_points_inside_is_refused_when_it_is_connected_to(string address)
    {
        using OutboundHttp http = Client("", IPAddress.Parse(address));
        OutboundAnswer answer = await PostAsync(http, receiver.Url.Replace("http://127.0.0.1", "https://hooks.example.com", StringComparison.Ordinal));
        answer.StatusCode.ShouldBeNull();
        answer.Error!.ShouldContain("not a public address");
        answer.Error!.ShouldContain("hooks.example.com");
        receiver.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_several_addresses_only_those_that_may_be_reached_are_tried()
    {
        // Were 127.0.0.2 tried, it would answer too: everything on this machine listens there or refuses at once.
        using OutboundHttp http = Client("127.0.0.1", IPAddress.Parse("10.0.0.1"), IPAddress.Parse("127.0.0.1"));
        (await PostAsync(http, Named("hooks.example.com"))).StatusCode.ShouldBe(204);
    }

    [Fact]
    public async Task An_allowed_network_is_reached_without_TLS()
    {
        using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        (await PostAsync(http, Named("hooks.example.com"))).StatusCode.ShouldBe(204);
        ReceivedMessage message = await receiver.NextAsync();
        message.Body.ShouldBe("hello");
        message.Headers["User-Agent"].ShouldStartWith("Atrium/");
        message.Headers.ShouldNotContainKey("traceparent");
    }

    [Fact]
    public async Task Nothing_public_is_reached_without_TLS()
    {
        using OutboundHttp http = Client("10.0.0.0/8", IPAddress.Parse("93.184.216.34"));
        OutboundAnswer answer = await PostAsync(http, "http://hooks.example.com/");
        answer.StatusCode.ShouldBeNull();
        answer.Error!.ShouldContain("without TLS");
    }

    [Fact]
    public async Task A_name_is_judged_by_the_address_that_is_connected_to_and_not_by_one_it_had_before()
    {
        Queue<IPAddress> answers = new([IPAddress.Parse("127.0.0.1"), IPAddress.Parse("127.0.0.2")]);
        using OutboundHttp http = new(Networks.Parse("127.0.0.1"), (_, _) => Task.FromResult<IPAddress[]>([answers.Dequeue()]), TimeProvider.System);
        receiver.Answer = static (_, context) =>
        {
            context.Response.Headers.Connection = "close";
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        };
        (await PostAsync(http, Named("rebinding.example.com"))).StatusCode.ShouldBe(204);
        (await PostAsync(http, Named("rebinding.example.com"))).Error!.ShouldContain("127.0.0.2");
        receiver.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_redirect_is_an_answer_and_is_not_followed()
    {
        using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        receiver.AnswerWith(307, ("Location", receiver.Url + "/elsewhere"));
        (await PostAsync(http, receiver.Url)).StatusCode.ShouldBe(307);
        receiver.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_proxy_of_the_environment_is_not_asked()
    {
        Environment.SetEnvironmentVariable("http_proxy", "http://127.0.0.1:9");
        try
        {
            using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
            (await PostAsync(http, Named("hooks.example.com"))).StatusCode.ShouldBe(204);
        }
        finally
        {
            Environment.SetEnvironmentVariable("http_proxy", null);
        }
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_in_time_is_given_up()
    {
        using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        receiver.Answer = static (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        OutboundAnswer answer = await PostAsync(http, receiver.Url, TimeSpan.FromMilliseconds(300));
        answer.StatusCode.ShouldBeNull();
        answer.Error.ShouldBe("No answer within 0.3 s.");
    }

    [Fact]
    public async Task Of_a_long_answer_only_the_beginning_is_read()
    {
        using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        receiver.Answer = static async (_, context) =>
        {
            byte[] part = Encoding.UTF8.GetBytes(new string('x', 64 * 1024));
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(part, context.RequestAborted);
        };
        OutboundAnswer answer = await PostAsync(http, receiver.Url);
        answer.StatusCode.ShouldBe(200);
        answer.Body!.Length.ShouldBe(OutboundHttp.MaxAnswerBytes);
    }

    [Fact]
    public async Task What_can_not_be_stored_of_an_answer_is_replaced()
    {
        using OutboundHttp http = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        receiver.Answer = static (_, context) => context.Response.Body.WriteAsync(new byte[] { 0x61, 0x00, 0xff, 0x62 }).AsTask();
        (await PostAsync(http, receiver.Url)).Body.ShouldBe("a\uFFFD\uFFFDb");
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("Sat, 21 Nov 2026 10:01:00 GMT", 60)]
    [InlineData("Sat, 21 Nov 2026 09:00:00 GMT", null)]
    [InlineData("soon", null)]
    public async Task A_wish_to_wait_is_seconds_or_a_date(string header, int? seconds)
    {
        using OutboundHttp http = new(Networks.Parse("127.0.0.0/8"), System.Net.Dns.GetHostAddressesAsync, new FakeClock());
        receiver.AnswerWith(503, ("Retry-After", header));
        (await PostAsync(http, receiver.Url)).RetryAfter.ShouldBe(seconds is { } some ? TimeSpan.FromSeconds(some) : null);
    }

    [Fact]
    public async Task A_name_without_an_address_and_a_port_without_a_listener_are_said_so()
    {
        using OutboundHttp nobody = Client("");
        (await PostAsync(nobody, "https://hooks.example.com/")).Error.ShouldBe("hooks.example.com has no address.");
        using OutboundHttp closed = Client("127.0.0.0/8", IPAddress.Parse("127.0.0.1"));
        (await PostAsync(closed, "http://127.0.0.1:1/")).Error!.ShouldContain("refused");
    }

    [Theory]
    [InlineData("https://hooks.example.com/a?b=c", null)]
    [InlineData("https://[2606:4700:4700::1111]/", null)]
    [InlineData("http://hooks.example.com/", "https")]
    [InlineData("ftp://hooks.example.com/", "https")]
    [InlineData("/hooks", "https")]
    [InlineData("hooks.example.com", "https")]
    [InlineData("https://user:secret@hooks.example.com/", "user")]
    [InlineData("https://hooks.example.com/#part", "fragment")]
    [InlineData("https://127.0.0.1/", "127.0.0.1")]
    [InlineData("https://127.1/", "127.0.0.1")]
    [InlineData("https://0x7f000001/", "127.0.0.1")]
    [InlineData("https://2130706433/", "127.0.0.1")]
    [InlineData("https://[::ffff:7f00:1]/", "127.0.0.1")]
    [InlineData("https://169.254.169.254/latest/meta-data", "169.254.169.254")]
    public void What_is_wrong_with_an_address_is_said_when_it_is_named(string url, string? problem)
    {
        using OutboundHttp http = Client("");
        if (problem is null)
            http.Problem(url).ShouldBeNull();
        else
            http.Problem(url)!.ShouldContain(problem);
    }

    [Fact]
    public void Where_something_is_allowed_a_name_may_be_without_TLS_until_it_is_looked_up()
    {
        using OutboundHttp http = Client("127.0.0.0/8");
        http.Problem("http://localhost:3000/hooks").ShouldBeNull();
        http.Problem("http://127.0.0.1:3000/hooks").ShouldBeNull();
        http.Problem("http://93.184.216.34/hooks")!.ShouldContain("without TLS");
        http.Problem("https://10.0.0.1/hooks")!.ShouldContain("not a public address");
    }

    private static OutboundHttp Client(string allowed, params IPAddress[] addresses) =>
        new(Networks.Parse(allowed), (_, _) => Task.FromResult(addresses), TimeProvider.System);

    private string Named(string name) => receiver.Url.Replace("127.0.0.1", name, StringComparison.Ordinal);

    private static async Task<OutboundAnswer> PostAsync(OutboundHttp http, string url, TimeSpan? patience = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, url) { Content = new StringContent("hello") };
        return await http.SendAsync(request, patience ?? Patience, default);
    }
}
