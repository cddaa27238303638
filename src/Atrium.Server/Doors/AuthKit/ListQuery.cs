using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using Atrium.Core;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>A page as the SDKs read it.</summary>
public sealed record ListJson<T>(IReadOnlyList<T> Data, ListMetadata ListMetadata)
{
    [JsonPropertyName("object")]
    public string Kind => "list";
}

/// <summary>The cursors of the neighbouring pages; null where there is none.</summary>
public sealed record ListMetadata(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Before,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? After);

/// <summary>
/// <c>limit</c>, <c>before</c>, <c>after</c> and <c>order</c>. In the order <c>normal</c> the newest come first as in <c>desc</c>, but the
/// cursors mean time: <c>before</c> leads to older ones and <c>after</c> to newer.
/// </summary>
public sealed record ListQuery<T>(PageRequest<T> Page, bool CursorsMeanTime)
    where T : class, IIdentified
{
    public const int DefaultLimit = 10;
    public const int MaxLimit = 100;

    public static bool TryRead(HttpRequest request, [NotNullWhen(true)] out ListQuery<T>? query, [NotNullWhen(false)] out AuthKitError? error)
    {
        (query, error) = (null, null);
        List<FieldError> errors = [];
        int limit = DefaultLimit;
        if (Single("limit") is { } limitText
            && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
        {
            errors.Add(new("limit_out_of_range", $"limit should be a number from 1 to {MaxLimit}.", "limit"));
        }

        string order = Single("order") ?? "desc";
        if (order is not ("desc" or "asc" or "normal"))
            errors.Add(new("order_invalid", "order should be asc, desc or normal.", "order"));
        Id<T>? before = Cursor("before");
        Id<T>? after = Cursor("after");
        if (errors.Count > 0)
        {
            error = AuthKitError.Invalid(errors);
            return false;
        }

        bool normal = order == "normal";
        query = new(
            normal ? new PageRequest<T>(limit, After: before, Before: after) : new PageRequest<T>(limit, after, before, Ascending: order == "asc"),
            normal);
        return true;

        // SDKs send some keys empty where nothing was set.
        string? Single(string name)
        {
            StringValues values = request.Query[name];
            if (values.Count > 1)
                errors.Add(new($"{name}_repeated", $"{name} should stand there once.", name));
            return values is [{ Length: > 0 } value] ? value : null;
        }

        Id<T>? Cursor(string name)
        {
            if (Single(name) is not { } text)
                return null;
            if (Id<T>.TryParse(text, out Id<T> id))
                return id;
            errors.Add(new($"{name}_invalid", $"{name} should be an id of this list.", name));
            return null;
        }
    }

    /// <summary>The answer's form of a page, whose rows may hold more than the thing that is listed.</summary>
    public ListJson<TJson> ToJson<TRow, TJson>(Page<TRow> page, Func<TRow, Id<T>> idOf, Func<TRow, TJson> toJson)
    {
        string? previous = page is { HasBefore: true, Items: [var first, ..] } ? idOf(first).ToString() : null;
        string? next = page is { HasAfter: true, Items: [.., var last] } ? idOf(last).ToString() : null;
        return new([.. page.Items.Select(toJson)], CursorsMeanTime ? new(Before: next, After: previous) : new(Before: previous, After: next));
    }
}
