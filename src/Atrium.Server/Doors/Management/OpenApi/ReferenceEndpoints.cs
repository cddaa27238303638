using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Server.Hosting;
using Atrium.Server.Pages;
using Microsoft.Net.Http.Headers;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>
/// The API's two documents, one for what is in a realm and one for realms themselves, each with a page for people. They follow from the routes
/// alone, so each is made once, when somebody first asks.
/// </summary>
public static class ReferenceEndpoints
{
    /// <summary>Backticks and quotation marks as they are: this is JSON for programs, and never part of a page.</summary>
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapReferences(this IEndpointRouteBuilder routes)
    {
        MapReference(routes, DocumentSubjects.Management, "/v1/openapi.json", "/v1/docs", new PageLink("Reference for operators", "/v1/docs/operator"));
        MapReference(routes, DocumentSubjects.Operator, "/v1/openapi-operator.json", "/v1/docs/operator", new PageLink("Reference for back ends", "/v1/docs"));
    }

    private static void MapReference(IEndpointRouteBuilder routes, DocumentSubject subject, string document, string page, PageLink other)
    {
        IServiceProvider services = routes.ServiceProvider;
        Lazy<JsonObject> written = new(() => new OpenApiDocument(
            subject,
            services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(subject.Describes)).Write());
        Lazy<KeptAnswer> json = new(() => new KeptAnswer(Encoding.UTF8.GetBytes(written.Value.ToJsonString(Format)), "application/json"));
        Lazy<Task<KeptAnswer>> html = new(async () => new KeptAnswer(
            await PageResult.RenderAsync(
                services, typeof(ReferencePage), new ReferenceReader(written.Value, services.GetRequiredService<PublicUrl>().Base, document, other).Read()),
            "text/html; charset=utf-8"));
        routes.MapGet(document, (HttpResponse response) => json.Value.Serve(response));
        routes.MapGet(page, async (HttpResponse response) =>
        {
            PageHeaders.Apply(response);
            return (await html.Value).Serve(response);
        });
    }

    /// <summary>What is the same for everybody, as long as this process runs.</summary>
    private sealed record KeptAnswer(byte[] Content, string ContentType)
    {
        private readonly EntityTagHeaderValue tag = new(EntityTag.Of(Content));

        public IResult Serve(HttpResponse response)
        {
            response.Headers.CacheControl = "no-cache";
            response.Headers.XContentTypeOptions = "nosniff";
            return TypedResults.Bytes(Content, ContentType, entityTag: tag);
        }
    }
}
