using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Atrium.Server.Pages;

/// <summary>
/// The stylesheets, the icon and the one script, embedded in the assembly and served under names that hold a hash of their content,
/// so that a browser may keep them for ever.
/// </summary>
public static class PageAssets
{
    private static readonly Asset Css = Asset.Load("atrium", "css", "text/css; charset=utf-8");
    private static readonly Asset ReferenceCss = Asset.Load("reference", "css", "text/css; charset=utf-8");
    private static readonly Asset Svg = Asset.Load("mark", "svg", "image/svg+xml");
    private static readonly Asset Session = Asset.Load("session", "js", "text/javascript; charset=utf-8");

    /// <summary>The path of the stylesheet, hash included.</summary>
    public static string Stylesheet => Css.Path;

    /// <summary>The path of what the API reference has beside it, hash included.</summary>
    public static string ReferenceStylesheet => ReferenceCss.Path;

    /// <summary>The path of the icon, hash included.</summary>
    public static string Icon => Svg.Path;

    /// <summary>The path of the script of <see cref="CheckSessionPage"/>, hash included.</summary>
    public static string SessionScript => Session.Path;

    /// <summary>Maps GET and HEAD of the assets. No authentication, no state.</summary>
    public static IEndpointRouteBuilder MapAssets(this IEndpointRouteBuilder routes)
    {
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        routes.MapMethods("/assets/atrium.{hash}.css", methods, (string hash, HttpResponse response) => Css.Serve(hash, response));
        routes.MapMethods("/assets/reference.{hash}.css", methods, (string hash, HttpResponse response) => ReferenceCss.Serve(hash, response));
        routes.MapMethods("/assets/mark.{hash}.svg", methods, (string hash, HttpResponse response) => Svg.Serve(hash, response));
        routes.MapMethods("/assets/session.{hash}.js", methods, (string hash, HttpResponse response) => Session.Serve(hash, response));
        return routes;
    }

    private sealed record Asset(string Path, string Hash, byte[] Content, string ContentType)
    {
        public static Asset Load(string name, string extension, string contentType)
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.{extension}")
                ?? throw new InvalidOperationException($"The assembly lacks its resource {name}.{extension}.");
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..16];
            return new($"/assets/{name}.{hash}.{extension}", hash, content, contentType);
        }

        // While nodes of two versions run side by side, a page of one may ask the other for its asset:
        // it gets what this one has, and the browser is told not to keep it under the foreign name.
        public FileContentHttpResult Serve(string hash, HttpResponse response)
        {
            response.Headers.CacheControl = hash == Hash ? "public, max-age=31536000, immutable" : "no-store";
            response.Headers.XContentTypeOptions = "nosniff";
            response.Headers.ContentSecurityPolicy = "default-src 'none'";
            return TypedResults.Bytes(Content, ContentType, entityTag: new EntityTagHeaderValue($"\"{Hash}\""));
        }
    }
}
