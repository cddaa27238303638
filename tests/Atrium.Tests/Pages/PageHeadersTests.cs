using Atrium.Server.Pages;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Pages;

public sealed class PageHeadersTests
{
    [Theory]
    [InlineData(null, "form-action 'self'")]
    [InlineData("", "form-action 'self'")]
    [InlineData("/callback", "form-action 'self'")]
    [InlineData("not a uri; script-src *", "form-action 'self'")]
    [InlineData("http://localhost:3000/callback?x=1", "form-action 'self' http://localhost:3000")]
    [InlineData("https://app.example.test/cb", "form-action 'self' https://app.example.test")]
    [InlineData("https://app.example.test:443/cb", "form-action 'self' https://app.example.test")]
    [InlineData("https://user:secret@app.example.test/cb", "form-action 'self' https://app.example.test")]
    [InlineData("file:///etc/passwd", "form-action 'self'")]
    [InlineData("https://*/cb", "form-action 'self'")]
    [InlineData("https://a;script-src */cb", "form-action 'self'")]
    [InlineData("https://app.example.test/;script-src *", "form-action 'self' https://app.example.test")]
    [InlineData("https://bücher.example/cb", "form-action 'self' https://xn--bcher-kva.example")]
    [InlineData("com.example.app:/oauth2redirect", "form-action 'self' com.example.app:")]
    [InlineData("http://127.0.0.1:51004/cb", "form-action 'self' http://127.0.0.1:51004")]
    [InlineData("http://[::1]:51004/cb", "form-action 'self' http:")]
    public void The_form_may_end_at_the_redirect_uris_origin_and_nowhere_else(string? redirectUri, string expected) =>
        PageHeaders.ContentSecurityPolicy(redirectUri).Split("; ").ShouldBe(
            ["default-src 'none'", "style-src 'self'", "img-src 'self' data:", expected, "frame-ancestors 'none'", "base-uri 'none'"]);
}
