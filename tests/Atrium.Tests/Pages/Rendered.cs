using System.Net;
using System.Text.RegularExpressions;
using Atrium.Server.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Atrium.Tests.Pages;

/// <summary>A page as a browser would receive it, with just enough reading of HTML for the assertions.</summary>
internal sealed record Rendered(HttpResponse Response, string Html)
{
    public static async Task<Rendered> Of(PageResult page)
    {
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var body = new MemoryStream();
        var http = new DefaultHttpContext { RequestServices = services, Response = { Body = body } };
        await page.ExecuteAsync(http);
        return new(http.Response, System.Text.Encoding.UTF8.GetString(body.ToArray()));
    }

    /// <summary>Every start tag of that name.</summary>
    public IReadOnlyList<Tag> Tags(string name) =>
        [.. Regex.Matches(Html, $"""<{name}((?:\s+[^\s=>/]+(?:="[^"]*")?)*)\s*/?>""").Select(match => new Tag(match.Groups[1].Value))];

    public Tag Input(string name) => Tags("input").Single(tag => tag["name"] == name);

    /// <summary>The text of the element with that id, without its tags.</summary>
    public string TextOf(string element) =>
        WebUtility.HtmlDecode(Regex.Replace(Regex.Match(Html, $"<{element}[^>]*>(.*?)</{element}>", RegexOptions.Singleline).Groups[1].Value, "<[^>]*>", "").Trim());
}

/// <summary>A start tag's attributes.</summary>
internal sealed record Tag(string Attributes)
{
    public string? this[string attribute] =>
        Regex.Match(Attributes, $"""(?<=\s){attribute}(?:="([^"]*)")?(?=\s|$)""") is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null;
}
