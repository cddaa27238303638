using System.Net;
using Atrium.Server.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Pages;

public sealed class PageAssetsTests : IAsyncLifetime
{
    private WebApplication app = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapAssets();
        await app.StartAsync();
        client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task The_stylesheet_and_the_icon_may_be_kept_for_ever()
    {
        foreach (var (path, type) in new[] { (PageAssets.Stylesheet, "text/css"), (PageAssets.Icon, "image/svg+xml") })
        {
            using var response = await client.GetAsync(path);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Content.Headers.ContentType!.MediaType.ShouldBe(type);
            response.Headers.CacheControl!.ToString().ShouldBe("public, max-age=31536000, immutable");
            response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);

            using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { response.Headers.ETag! } } };
            using var unchanged = await client.SendAsync(again);
            unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);

            using var head = new HttpRequestMessage(HttpMethod.Head, path);
            using var headers = await client.SendAsync(head);
            headers.StatusCode.ShouldBe(HttpStatusCode.OK);
            headers.Content.Headers.ContentLength.ShouldBe(response.Content.Headers.ContentLength);
        }
    }

    [Fact]
    public async Task A_name_from_another_version_is_served_but_not_kept()
    {
        using var response = await client.GetAsync("/assets/atrium.0123456789abcdef.css");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task The_stylesheet_is_small_and_asks_nobody_else_for_anything()
    {
        var css = await client.GetStringAsync(PageAssets.Stylesheet);
        css.Length.ShouldBeLessThan(16 * 1024);
        css.ShouldNotContain("@import");
        css.Replace("http://www.w3.org/2000/svg", "").ShouldNotContain("http");
        css.ShouldContain("prefers-color-scheme: dark");
        css.ShouldContain("prefers-reduced-motion");
        css.ShouldContain(":focus-visible");
    }
}
