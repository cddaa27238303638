using Atrium.Server.Pages;
using Atrium.Tests.Pages;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Factors;

/// <summary>The one page that shows an image.</summary>
public sealed class EnrolPageTests
{
    private const string Hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>";

    [Fact]
    public async Task Its_image_is_the_QR_code_and_hostile_values_stay_text()
    {
        Rendered page = await Rendered.Of(PageResult.Enrol(
            new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, "data:image/png;base64,AAAA", Hostile, Hostile, Hostile, 1, Hostile), Hostile));
        page.Html.ShouldContain("&lt;script&gt;");
        page.Html.ShouldNotContain("<script", Case.Insensitive);
        page.Tags("img").ShouldHaveSingleItem()["src"].ShouldBe("data:image/png;base64,AAAA");
        page.Tags("img").Single()["alt"].ShouldNotBeEmpty();
        page.Tags("h1").ShouldHaveSingleItem();
        page.Tags("input").Count(static input => input["autofocus"] is not null).ShouldBe(1);
    }
}
