using Atrium.Server.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// A form that another site posts here comes without our cookies, which are SameSite=Lax. The same request as a GET brings them, so that the person is
/// who they are in this browser.
/// </summary>
public static class CrossSitePost
{
    /// <summary>What a browser and a proxy carry in an address without trouble.</summary>
    private const int MaxQueryLength = 6000;

    /// <summary>Where the same request is a GET; null for one that has its cookies, or is too long.</summary>
    public static SeeOther? AsGet(HttpRequest request, IReadOnlyDictionary<string, StringValues> parameters)
    {
        if (!HttpMethods.IsPost(request.Method) || request.Headers["Sec-Fetch-Site"] != "cross-site")
            return null;
        QueryBuilder query = new(parameters.SelectMany(static pair => pair.Value, static (pair, value) => KeyValuePair.Create(pair.Key, value ?? "")));
        string address = request.Path.ToUriComponent() + query.ToQueryString().ToUriComponent();
        return address.Length <= MaxQueryLength ? new SeeOther(address) : null;
    }
}
