using System.Net;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests;

public sealed class HealthTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task A_running_server_is_healthy_and_every_answer_carries_a_request_id(string path)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("X-Request-ID").ShouldHaveSingleItem().ShouldStartWith("req_");
    }
}
