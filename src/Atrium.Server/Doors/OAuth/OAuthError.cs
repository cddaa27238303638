using System.Text.Json.Serialization;
using Atrium.Server.Hosting;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// A failure of the OAuth door (RFC 6749 sections 4.1.2.1 and 5.2), as a value. The id is stable and documented in docs/errors.md;
/// it closes the description, so that whoever reads the answer can look it up.
/// </summary>
public sealed record OAuthError(string Id, string Code, string Sentence, int Status = StatusCodes.Status400BadRequest)
{
    public string Description => $"{Sentence} ({Id})";

    /// <summary>Through no fault of the request. RFC 6749 has this code for redirects alone, where there is no status 503 to say it.</summary>
    public static IResult Unavailable(HttpContext context, Unavailable why)
    {
        why.Announce(context);
        return new OAuthError(why.Id, Http.Unavailable.Code, why.Sentence, StatusCodes.Status503ServiceUnavailable).ToAnswer(context);
    }

    /// <summary>The JSON answer of the token endpoint and its kin; never stored by anyone on the way.</summary>
    public IResult ToAnswer(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.NoteRefusal(Id);
        return new JsonAnswer<OAuthErrorBody>(new OAuthErrorBody(Code, Description), OAuthErrorJson.Default.OAuthErrorBody, Status);
    }
}

public sealed record OAuthErrorBody(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string ErrorDescription);

[JsonSerializable(typeof(OAuthErrorBody))]
internal sealed partial class OAuthErrorJson : JsonSerializerContext;
