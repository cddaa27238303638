using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>
/// Goes through every route that the server has, and every field of every body: a route that is added is covered by being there, and one that
/// can't be exercised, because no sample makes what it is about, fails.
/// </summary>
public sealed class EveryRouteTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    /// <summary>Things that may belong to several of the things that their path begins with.</summary>
    private static readonly string[] Shared = ["clients/organizations"];

    /// <summary>Things that a path names by a word which every realm knows.</summary>
    private static readonly string[] Words = ["mail-templates", "organizations/mail-templates"];

    private static readonly string[] Malformed = ["nonsense", "%20", "..%2f", "0", "key_", "usr_ZZZZZZZZZZZZZZZZZZZZZZZZZ"];

    private readonly ManagementCalls api = new(server);
    private readonly List<string> problems = [];
    private IReadOnlyList<Route> routes = [];
    private Samples ours = null!;
    private Samples others = null!;
    private Samples neighbours = null!;

    public ValueTask InitializeAsync()
    {
        routes = Route.All(server);
        ours = new Samples(server, api);
        others = new Samples(server, api);
        neighbours = new Samples(server, api.Globex);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Every_route_finds_what_is_ours()
    {
        foreach (Route route in routes.Where(static route => route.Method == "GET"))
            await CallAsync(route, await ours.IdsOfAsync(route.Things), 200);
        Report(least: 5);
    }

    [Fact]
    public async Task What_another_realm_has_is_not_found_and_stays_as_it_is()
    {
        foreach (Route route in routes.Where(static route => route.Things.Count > 0))
        {
            List<string> own = await ours.IdsOfAsync(route.Things);
            for (int i = 0; i < own.Count; i++)
            {
                if (Words.Contains(route.Things[i]))
                    continue;
                string foreign = await neighbours.IdOfAsync(route.Things[i]);
                await CallAsync(route, [.. own[..i], foreign, .. own[(i + 1)..]], 404, await ours.BodyAsync(route));
            }

            if (!Words.Contains(route.Things[0]))
                await CallAsync(route, await neighbours.IdsOfAsync(route.Things), 404, await ours.BodyAsync(route));
        }

        await AllStillThereAsync(neighbours, api.Globex);
        Report(least: 10);
    }

    [Fact]
    public async Task What_another_thing_of_the_realm_has_is_not_found_beneath_this_one()
    {
        foreach (Route route in routes.Where(static route => route.Things.Count > 1 && !Shared.Concat(Words).Contains(route.Things[^1])))
        {
            List<string> own = await ours.IdsOfAsync(route.Things);
            List<string> foreign = await others.IdsOfAsync(route.Things);
            await CallAsync(route, [.. own[..^1], foreign[^1]], 404, await ours.BodyAsync(route));
        }

        await AllStillThereAsync(others, api);
        problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_malformed_id_is_not_found()
    {
        foreach (Route route in routes.Where(static route => route.Things.Count > 0))
        {
            List<string> own = await ours.IdsOfAsync(route.Things);
            for (int i = 0; i < own.Count; i++)
            {
                foreach (string malformed in Malformed.Append(own[i][..^1]).Append($"{own[i]}0").Append(own[i].ToUpperInvariant()))
                    await CallAsync(route, [.. own[..i], malformed, .. own[(i + 1)..]], 404, await ours.BodyAsync(route));
            }
        }

        Report(least: 10);
    }

    [Fact]
    public async Task Nobody_is_let_in_without_a_key_that_is_good()
    {
        string expired = await new World(server).NewKeyAsync(server.Clock.GetUtcNow(), ApiKey.Everything);
        foreach (Route route in routes)
        {
            List<string> ids = await ours.IdsOfAsync(route.Things);
            foreach (string? key in new[] { null, "", "sk_wrong", "ok_wrong", $"{DemoRealm.ApiKey}2", DemoRealm.ApiKey[..^1], expired })
                await CallAsync(route, ids, 401, await ours.BodyAsync(route), api.With(key));
            await CallAsync(route, ids, 404, await ours.BodyAsync(route), api.With(DemoRealm.NeighbourApiKey));
        }

        Report(least: 10);
    }

    [Fact]
    public async Task A_key_with_every_scope_but_the_routes_may_not()
    {
        World world = new(server);
        foreach (IGrouping<string, Route> scope in routes.GroupBy(static route => route.Scope))
        {
            ManagementCalls without = api.With(await world.NewKeyAsync(null, [.. ApiScopes.All.Except([scope.Key])]));
            foreach (Route route in scope)
                await CallAsync(route, await ours.IdsOfAsync(route.Things), 403, await ours.BodyAsync(route), without);
        }

        Report(least: 10);
    }

    [Fact]
    public async Task Every_field_of_every_body_is_refused_where_it_is_wrong()
    {
        int bodies = 0;
        foreach (Route route in routes)
        {
            foreach ((int variant, var shape) in route.Shapes.Index())
            {
                string path = route.With(await ours.IdsOfAsync(route.Things, variant));
                foreach (BadBody bad in BadBodies.Of(shape))
                {
                    bodies++;
                    ManagementAnswer answer = await api.SendAsync(new HttpMethod(route.Method), path, bad.Json.ToJsonString());
                    if (answer.Status != 422 || !answer.WrongFields.Contains(bad.Pointer))
                        problems.Add($"{route}: {bad.Pointer} with {bad.What} ({Short(bad.Json.ToJsonString())}) answered {answer.Status} {Short(answer.Text)}");
                }
            }
        }

        bodies.ShouldBeGreaterThan(50);
        problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_object_is_refused_for_what_it_is()
    {
        foreach (Route route in routes.Where(static route => route.Shapes.Count > 0))
        {
            string path = $"/v1/realms/{DemoRealm.Handle}{route.With(await ours.IdsOfAsync(route.Things))}";
            foreach ((string body, string type, int status) in new[]
            {
                ("{\"name\":", "application/json", 400), ("[]", "application/json", 400), ("\"x\"", "application/json", 400), ("{\"a\":1,\"a\":2}", "application/json", 400),
                ("{\"\\ud800\":1}", "application/json", 400), (new string('[', 5000), "application/json", 400), ("{\"name\":\"\xff", "application/json", 400),
                ("name=x", "application/x-www-form-urlencoded", 415), ("{}", "text/plain", 415), ("<x/>", "application/xml", 415),
                ($"{{\"name\":\"{new string('x', 200 * 1024)}\"}}", "application/json", 413),
            })
            {
                using HttpRequestMessage request = new(new HttpMethod(route.Method), path) { Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body)) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", DemoRealm.ApiKey);
                using HttpResponseMessage response = await server.Http.SendAsync(request);
                if (response.StatusCode != (HttpStatusCode)status)
                    problems.Add($"{route}: {Short(body)} as {type} answered {(int)response.StatusCode} instead of {status}");
            }
        }

        problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_query_parameter_that_does_not_exist_is_refused()
    {
        foreach (Route route in routes)
        {
            ManagementAnswer answer = await api.SendAsync(
                new HttpMethod(route.Method), $"{route.With(await ours.IdsOfAsync(route.Things))}?no_such_parameter=1", (await ours.BodyAsync(route))?.ToJsonString());
            if (answer.Status != 400)
                problems.Add($"{route} answered {answer.Status}");
        }

        problems.ShouldBeEmpty();
    }

    private async Task CallAsync(Route route, IReadOnlyList<string> ids, int expected, JsonObject? body = null, ManagementCalls? caller = null)
    {
        calls++;
        string? text = route.Shapes.Count == 0 ? null : (body ?? []).ToJsonString();
        ManagementAnswer answer = await (caller ?? api).SendAsync(new HttpMethod(route.Method), route.With(ids), text);
        if (answer.Status != expected)
            problems.Add($"{route} with {string.Join(", ", ids)} answered {answer.Status} instead of {expected}: {Short(answer.Text)}");
    }

    private async Task AllStillThereAsync(Samples samples, ManagementCalls owner)
    {
        foreach (Route route in routes.Where(static route => route.Method == "GET"))
            await CallAsync(route, await samples.IdsOfAsync(route.Things), 200, caller: owner);
    }

    private int calls;

    private void Report(int least)
    {
        calls.ShouldBeGreaterThanOrEqualTo(least);
        problems.ShouldBeEmpty();
    }

    private static string Short(string text) => text.Length > 200 ? $"{text[..200]} ..." : text;
}
